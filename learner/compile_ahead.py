"""A process that compiles an algorithm's update into torch's cache on disk, and checks it, while the learner trains.

    python -m steadyhand.learner.compile_ahead FOLDER

After it, the learner only traces the update, which takes a few seconds instead of a minute. The process can be ended at
any time, unlike a thread within the compiler.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import safetensors.numpy
import torch

from steadyhand.learner.algos.algorithm import Algorithm, find_algorithm
from steadyhand.learner.compiled_update import CompilationError, CompiledUpdate
from steadyhand.learner.steps import copied, differing
from steadyhand.policies import Policy, PolicySpec, load_backbone
from steadyhand.runtime.component import KEY

__all__ = ["CompileJob", "check", "read_job", "write_job"]

JOB_FILE, BLOCK_FILE = "job.json", "block.safetensors"
NICENESS = 10  # the actor's control loop may share the cores


@dataclass(frozen=True)
class CompileJob:
    """The update to compile, and the settings of torch in the learner.

    Attributes:
        algo: Configuration group of the algorithm.
        spec: Specification of its policy, as JSON.
        encoder_weights: File of the policy's frozen encoder, if it needs one.
        threads: Threads of torch.
        matmul: Precision of float32 products, by torch's name.
    """

    algo: dict[str, Any]
    spec: dict[str, Any]
    encoder_weights: str | None
    threads: int
    matmul: Literal["highest", "high", "medium"]

    @classmethod
    def of(cls, algo: Algorithm[Any], encoder_weights: str | None) -> CompileJob:
        """Return the job of an algorithm in this process."""
        kind = type(algo)
        group = {KEY: f"{kind.__module__}:{kind.__qualname__}", **asdict(algo.settings)}
        threads, matmul = torch.get_num_threads(), torch.get_float32_matmul_precision()
        return cls(group, algo.policy.spec.to_json(), encoder_weights, threads, matmul)  # type: ignore[arg-type]

    def make(self) -> Algorithm[Any]:
        """Return the algorithm with new weights; a compiled update does not depend on them."""
        spec = PolicySpec.from_json(self.spec)
        backbone = load_backbone(spec.encoder, self.encoder_weights)
        algo: Algorithm[Any] = find_algorithm(self.algo).make(Policy(spec, 0, backbone), 0)
        return algo


def write_job(folder: Path, job: CompileJob, block: Mapping[str, Any]) -> None:
    """Write a job, and the block of replay on which its update is compiled and checked."""
    (folder / JOB_FILE).write_bytes(msgspec.json.encode(job))
    safetensors.numpy.save_file(dict(_flat(block)), folder / BLOCK_FILE)


def read_job(folder: Path) -> tuple[CompileJob, dict[str, Any]]:
    """Read what `write_job` has written."""
    block: dict[str, Any] = {}
    for name, value in safetensors.numpy.load_file(folder / BLOCK_FILE).items():
        *owners, last = name.split("/", 1)
        (block.setdefault(owners[0], {}) if owners else block)[last] = value
    return msgspec.json.decode((folder / JOB_FILE).read_bytes(), type=CompileJob), block


def check(algo: Algorithm[Any], block: Mapping[str, Any]) -> None:
    """Compile the update of an algorithm, and compare a step with the algorithm's own.

    Raises:
        CompilationError: It cannot be compiled, or the compiled step is another one.
    """
    before = copied(algo.state_tensors())
    with algo.noise.noted() as draws:
        algo.update(block)
    after = copied(algo.state_tensors())
    update = CompiledUpdate(algo, draws)
    for _ in range(2):  # the second one as in training, when nothing is left to compile
        algo.load_state_tensors(before)
        update(block)
    if off := differing(before, after, algo.state_tensors()):
        raise CompilationError(f"the compiled update changes {off[:3]} otherwise than the algorithm's own")


def _flat(block: Mapping[str, Any], owner: str = "") -> Iterator[tuple[str, np.ndarray]]:
    for name, value in block.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}/")
        else:
            yield owner + name, np.ascontiguousarray(value)


if __name__ == "__main__":
    os.nice(NICENESS)
    job, block = read_job(Path(sys.argv[1]))
    torch.set_num_threads(job.threads)
    torch.set_float32_matmul_precision(job.matmul)
    try:
        check(job.make(), block)
    except CompilationError as error:
        sys.exit(str(error))

"""Gradient steps recorded on the device once and replayed: launching the kernels dominates a small update's time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from steadyhand.learner.algos.algorithm import Algorithm, Metrics
from steadyhand.learner.algos.batch import to_host
from steadyhand.runtime.logging import get_logger

__all__ = ["CudaGraphSteps", "Metrics", "Recorder", "Recording", "Steps", "record_on_cuda"]

WARM_UPS = 3  # steps before recording: libraries choose their kernels and allocate in the first ones
TOLERANCE, ROUNDING = 0.2, 1e-6  # of a change, and of a value, that a replayed step may be off by

logger = get_logger("learner.recorded_steps")


class Steps(Protocol):
    """The maker of gradient steps from blocks."""

    def update(self, block: Mapping[str, Any]) -> Metrics:
        """See `Algorithm.update`."""

    def pretrain(self, block: Mapping[str, Any]) -> Metrics:
        """See `Algorithm.pretrain`."""


@dataclass(frozen=True)
class Recording:
    """A recorded step: `replay` repeats it with the present contents of its inputs, and fills `metrics`."""

    replay: Callable[[], object]
    metrics: Metrics


Recorder = Callable[[Callable[[], Metrics], torch.Generator], Recording]


def record_on_cuda(step: Callable[[], Metrics], generator: torch.Generator) -> Recording:
    """Record a step as a CUDA graph; it is made `WARM_UPS` times along the way."""
    here = torch.cuda.current_stream(generator.device)
    side = torch.cuda.Stream(generator.device)  # type: ignore[no-untyped-call]
    try:
        side.wait_stream(here)
        with torch.cuda.stream(side):
            for _ in range(WARM_UPS):
                step()
        here.wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(generator)
        # The recording ignores memory that other threads allocate and pin meanwhile.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            metrics = step()
    except BaseException:
        torch.cuda.set_stream(here)  # a failed recording does not restore the stream
        torch.cuda.synchronize(generator.device)
        raise
    return Recording(graph.replay, metrics)


class CudaGraphSteps:
    """An algorithm's `update` and `pretrain`, each recorded at its first block.

    A recording is only used after it has made the same step as the algorithm itself, from the same state on the same
    block. One that fails or differs ends recording with a warning, and the algorithm goes on without recordings.

    Metrics are those of the last step: the next one overwrites them.

    Args:
        algo: Trained in place. Its steps change only `state_tensors`, and they read nothing on the host.
        record: Makes recordings.

    Attributes:
        is_off: True once recording has ended.
    """

    def __init__(self, algo: Algorithm[Any], record: Recorder = record_on_cuda) -> None:
        self._algo, self._record = algo, record
        self.is_off = False
        self._name = ""  # of the step that is recorded; its memory is given up for the next one's
        self._inputs: Any = None
        self._recording: Recording | None = None

    def update(self, block: Mapping[str, Any]) -> Metrics:
        """See `Algorithm.update`."""
        return self._step("update", self._algo.update, block)

    def pretrain(self, block: Mapping[str, Any]) -> Metrics:
        """See `Algorithm.pretrain`."""
        return self._step("pretrain", self._algo.pretrain, block)

    def _step(self, name: str, step: Callable[[Mapping[str, Any]], Metrics], block: Mapping[str, Any]) -> Metrics:
        if self.is_off:
            return step(block)
        if self._recording is None or name != self._name:
            return self._begin(name, step, block)
        _fill(self._inputs, block)
        self._recording.replay()
        return self._recording.metrics

    def _begin(self, name: str, step: Callable[[Mapping[str, Any]], Metrics], block: Mapping[str, Any]) -> Metrics:
        """Make the step without a recording, then record it and repeat it by the recording, from the same state.

        The result of the recording is kept: a resumed learner, which records anew, gets the same one.
        """
        algo, self._name, self._recording = self._algo, name, None
        before = _copied(algo.state_tensors())
        metrics = _copied(step(block))
        after = _copied(algo.state_tensors())
        try:
            inputs = _like(block, algo.device)
            recording = self._record(lambda: step(inputs), algo.generator)
            algo.load_state_tensors(before)
            recording.replay()
            differing = _differing(before, after, algo.state_tensors())
            if not differing:
                self._inputs, self._recording = inputs, recording
                return recording.metrics
            logger.warning("a recorded %s changes %s otherwise than its own; recording is off", name, differing[:3])
        except RuntimeError as error:
            logger.warning("%s cannot be recorded on %s: %s; recording is off", name, algo.device, str(error)[:200])
            algo.generator = torch.Generator(algo.device)  # the other one may still count as being recorded
        self.is_off = True
        algo.load_state_tensors(after)
        return metrics


def _like(block: Any, device: torch.device) -> Any:
    """A block's tensors (R, ...) on the device, at addresses that stay."""
    if isinstance(block, Mapping):
        return {name: _like(value, device) for name, value in block.items()}
    return torch.as_tensor(block).to(device, copy=True)


def _fill(inputs: Any, block: Any) -> None:
    if isinstance(inputs, Mapping):
        for name, value in inputs.items():
            _fill(value, block[name])
    else:
        inputs.copy_(to_host(block, inputs.device), non_blocking=True)


def _copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in tensors.items()}


def _differing(before: Mapping[str, Tensor], after: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """Return the owners, such as `critic` and `optimizer/policy/first`, whose tensors differ too much.

    A step may sum in another order each time it is made. Adam turns a gradient of pure rounding, such as that of a bias
    before a softmax, into a whole step of either sign. The changes of all of an owner's tensors are therefore compared
    together: a wrong step is off by all of it.
    """
    owners: dict[str, list[str]] = {}
    for name in after:
        owners.setdefault(name.rpartition("/")[0] or name, []).append(name)

    def differs(names: list[str]) -> bool:
        if not after[names[0]].is_floating_point():  # the generator's state
            return not all(torch.equal(after[name], found[name]) for name in names)
        error, change, size = (
            torch.stack([part.norm() for part in parts]).norm()
            for parts in (
                [found[name] - after[name] for name in names],
                [after[name] - before[name] for name in names],
                [after[name] for name in names],
            )
        )
        return not bool(error <= TOLERANCE * change + ROUNDING * (1.0 + size))  # NaN differs

    return [owner for owner, names in owners.items() if differs(names)]

"""Dense layers compiled by torch.compile, in place, with unchanged names and weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from steadyhand.learner.algos.algorithm import Algorithm

__all__ = ["CompilationError", "compile_layers"]


class CompilationError(RuntimeError):
    """This machine cannot compile."""


def compile_layers(algo: Algorithm[Any], backend: str = "inductor") -> None:
    """Compile the algorithm's dense modules and the policy's two ways to its distribution, and try one at once.

    Encoders are not compiled: their time is that of convolutions, which no fusion makes faster.

    Args:
        algo: The algorithm, compiled in place.
        backend: Backend of torch.compile.

    Raises:
        CompilationError: There is no compiler, or it fails.
    """
    policy = algo.policy
    for module in algo.dense_modules():
        module.compile(backend=backend, dynamic=False)
    # Not the trunk itself: torch.compile silently skips a plain Sequential.
    policy.distribution = torch.compile(policy.distribution, backend=backend, dynamic=False)  # type: ignore[method-assign]
    policy.outputs = torch.compile(policy.outputs, backend=backend, dynamic=False)  # type: ignore[method-assign]
    try:
        policy.distribution(torch.zeros(algo.sampling.batch_size, policy.feature_size, device=algo.device))
    except Exception as error:  # any error of a compiler, its cache or the linker
        cause = next(iter(str(error).strip().splitlines()), type(error).__name__)
        remedy = "install a C++ compiler (g++)"
        if " " in torch.__file__:  # torch passes the path of its libraries to the linker without quotes
            remedy = f"make the environment in a folder without blanks, not in {Path(torch.__file__).parent}"
        raise CompilationError(
            f"learner.compile=true: torch cannot compile here ({cause[:160]}); {remedy}, or give learner.compile=false"
        ) from error

"""An algorithm's whole update as one compiled graph: critics, policy, optimisers and moving averages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from steadyhand.learner.algos.algorithm import Algorithm, Metrics
from steadyhand.learner.algos.batch import to_device
from steadyhand.policies.noise import Draw

__all__ = ["CompilationError", "CompiledUpdate"]


class CompilationError(RuntimeError):
    """This update cannot be compiled here. The message is one line."""


class CompiledUpdate:
    """An algorithm's `update`, compiled at the first call for blocks of that call's shapes.

    The step is the algorithm's own up to rounding: the random numbers are drawn before it, in the same order.

    Args:
        algo: Trained in place, on a CPU.
        draws: The draws of one update of it, noted while it was made uncompiled.
        backend: Backend of torch.compile.
    """

    def __init__(
        self, algo: Algorithm[Any], draws: Sequence[Draw], backend: str | Callable[..., Any] = "inductor"
    ) -> None:
        self._algo, self._draws = algo, draws
        self._compiled = torch.compile(_update, fullgraph=True, dynamic=False, backend=backend)
        self._is_compiled = False

    def __call__(self, block: Mapping[str, Any]) -> Metrics:
        """See `Algorithm.update`.

        Raises:
            CompilationError: There is no compiler, it fails, or a later block has other shapes. Nothing has changed.
        """
        noise, inputs = self._algo.noise, _contiguous(to_device(block, self._algo.device))
        state = noise.generator.get_state()
        try:
            with _compiled() if self._is_compiled else _compiling(), noise.given(noise.draw(self._draws)):
                metrics: Metrics = self._compiled(self._algo, inputs)
        except Exception as error:  # any error of a compiler, its cache or the linker
            noise.generator.set_state(state)
            raise CompilationError(_recompiled(error) if self._is_compiled else _cause(error)) from error
        self._is_compiled = True
        return metrics


def _update(algo: Algorithm[Any], block: Mapping[str, Any]) -> Metrics:
    return algo.update(block)


@contextmanager
def _compiling() -> Iterator[None]:
    import torch._dynamo.config as tracing
    import torch._inductor.config as lowering

    # An update differentiates within. A pool of compiling processes would take every core and stay.
    with tracing.patch(trace_autograd_ops=True), lowering.patch(compile_threads=1):
        yield


def _compiled() -> Any:
    return torch.compiler.set_stance("fail_on_recompile")


def _contiguous(block: Any) -> Any:
    """Return tensors that all lie in memory in the same way as those that the update was compiled for."""
    if isinstance(block, Mapping):
        return {name: _contiguous(value) for name, value in block.items()}
    return block.contiguous()


def _recompiled(error: Exception) -> str:
    return f"this block differs in shape from the one that the update was compiled for ({_first_line(error)})"


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:160]


def _cause(error: Exception) -> str:
    remedy = "install a C++ compiler (g++)"
    if " " in torch.__file__:  # torch passes the path of its libraries to the linker without quotes
        remedy = f"make the environment in a folder without blanks, not in {Path(torch.__file__).parent}"
    return f"torch cannot compile here ({_first_line(error)}); {remedy}, or give learner.compile=false"

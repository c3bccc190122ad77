"""Gradient steps recorded on the device once and replayed: launching the kernels dominates a small update's time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from steadyhand.learner.algos.algorithm import Algorithm, Metrics
from steadyhand.learner.algos.batch import to_host
from steadyhand.learner.steps import copied, differing
from steadyhand.runtime.logging import get_logger

__all__ = ["CudaGraphSteps", "Metrics", "Recorder", "Recording", "record_on_cuda"]

WARM_UPS = 3  # steps before recording: libraries choose their kernels and allocate in the first ones

logger = get_logger("learner.recorded_steps")


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
        before = copied(algo.state_tensors())
        metrics = copied(step(block))
        after = copied(algo.state_tensors())
        try:
            inputs = _like(block, algo.device)
            recording = self._record(lambda: step(inputs), algo.noise.generator)
            algo.load_state_tensors(before)
            recording.replay()
            off = differing(before, after, algo.state_tensors())
            if not off:
                self._inputs, self._recording = inputs, recording
                return recording.metrics
            logger.warning("a recorded %s changes %s otherwise than its own; recording is off", name, off[:3])
        except RuntimeError as error:
            logger.warning("%s cannot be recorded on %s: %s; recording is off", name, algo.device, str(error)[:200])
            algo.noise.generator = torch.Generator(algo.device)  # the other one may still count as being recorded
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

"""Gradient steps recorded on the device once and replayed: a small update's time is that of launching its kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from learner.algos.batch import to_host
from learner.algos.sac import Sac
from runtime.logging import get_logger

__all__ = ["Metrics", "RecordedSteps", "Recorder", "Recording", "Steps", "record_on_cuda"]

Metrics = dict[str, Tensor]
WARM_UPS = 3  # steps before recording: libraries choose their kernels and allocate in the first ones
# A replayed step may sum in another order than an eager one. Adam turns a gradient of nearly zero into a whole step of
# either sign, so what is compared is a tensor's change as a whole: a wrong one is off by all of it.
TOLERANCE, ROUNDING = 0.1, 1e-6

logger = get_logger("learner.recorded_steps")


class Steps(Protocol):
    """What makes gradient steps out of blocks."""

    def update(self, block: Mapping[str, Any]) -> Metrics:
        """As `Sac.update`."""

    def pretrain(self, block: Mapping[str, Any]) -> Metrics:
        """As `Sac.pretrain`."""


@dataclass(frozen=True)
class Recording:
    """A recorded step: `replay` makes it again with what its inputs hold by then, and fills `metrics`."""

    replay: Callable[[], object]
    metrics: Metrics


Recorder = Callable[[Callable[[], Metrics], torch.Generator], Recording]


def record_on_cuda(step: Callable[[], Metrics], generator: torch.Generator) -> Recording:
    """Record a step as a CUDA graph; it is made `WARM_UPS` times along the way."""
    side = torch.cuda.Stream(generator.device)  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream(generator.device))
    with torch.cuda.stream(side):
        for _ in range(WARM_UPS):
            step()
    torch.cuda.current_stream(generator.device).wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        metrics = step()
    return Recording(graph.replay, metrics)


class RecordedSteps:
    """An algorithm's `update` and `pretrain`, each recorded at its first block.

    A recording is only used after it has made the same step as the algorithm itself, from the same state on the same
    block. One that fails or differs is given up with a warning, and the algorithm goes on as it would without.

    Metrics are those of the last step: the next one overwrites them.

    Args:
        algo: trained in place. What its steps change lies in `state_tensors`, and they read nothing on the host.
        record: makes recordings.
    """

    def __init__(self, algo: Sac, record: Recorder = record_on_cuda) -> None:
        self._algo, self._record = algo, record
        self._recorded: dict[str, tuple[dict[str, Any], Recording] | None] = {}

    def update(self, block: Mapping[str, Any]) -> Metrics:
        """As `Sac.update`."""
        return self._step("update", self._algo.update, block)

    def pretrain(self, block: Mapping[str, Any]) -> Metrics:
        """As `Sac.pretrain`."""
        return self._step("pretrain", self._algo.pretrain, block)

    def _step(self, name: str, step: Callable[[Mapping[str, Any]], Metrics], block: Mapping[str, Any]) -> Metrics:
        if name not in self._recorded:
            return self._begin(name, step, block)
        recorded = self._recorded[name]
        if recorded is None:
            return step(block)
        inputs, recording = recorded
        _fill(inputs, block)
        recording.replay()
        return recording.metrics

    def _begin(self, name: str, step: Callable[[Mapping[str, Any]], Metrics], block: Mapping[str, Any]) -> Metrics:
        """Make the step without a recording, then record it and see whether the recording does the same."""
        algo = self._algo
        before = _copied(algo.state_tensors())
        metrics = _copied(step(block))
        after = _copied(algo.state_tensors())
        self._recorded[name] = None
        try:
            inputs = _like(block, algo.device)
            recording = self._record(lambda: step(inputs), algo.generator)
            algo.load_state_tensors(before)
            recording.replay()
            differing = _differing(before, after, algo.state_tensors())
            if differing:
                logger.warning("a recorded %s changes %s otherwise than its own; recording is off", name, differing[:3])
            else:
                self._recorded[name] = (inputs, recording)
        except RuntimeError as error:
            logger.warning("%s cannot be recorded on %s: %s; recording is off", name, algo.device, str(error)[:200])
            algo.generator = torch.Generator(algo.device)  # one that a recording was broken off with is of no more use
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
    """Names of the tensors whose `found` differs from `after` by more than a small part of their change."""

    def differs(name: str) -> bool:
        expected, value = after[name], found[name]
        if not value.is_floating_point():  # the generator's state
            return not torch.equal(expected, value)
        allowed = TOLERANCE * (expected - before[name]).norm() + ROUNDING * (1.0 + expected.norm())
        return not bool((value - expected).norm() <= allowed)

    return [name for name in after if differs(name)]

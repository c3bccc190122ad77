"""The parts of a training loop: its data, its links to the rest of the learner, and its results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.learner.journal import Journal
from steadyhand.learner.metrics import Metrics
from steadyhand.learner.replay.sampler import Sampler
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.transport.log_reader import LogReader

__all__ = ["Links", "Replay", "Results"]


@dataclass(frozen=True)
class Links:
    """The loop's links to the rest of the learner."""

    readers: Callable[[], Iterable[LogReader]]  # all logs, always in the same order
    publish: Callable[[int, dict[str, NDArray[np.float32]]], None]  # given a policy_version and weights
    sync: Callable[[], None]  # returns when the logs survive a power cut
    changes: Callable[[], list[tuple[str, list[int]]]] = (
        list  # session and numbers of records damaged or repaired since
    )


@dataclass(frozen=True)
class Replay:
    """The data that blocks are drawn from.

    Attributes:
        store: The transitions to draw from.
        sampler: Draws from `store`.
        journal: Opened at the step of the counters; the records that it has seen become visible in the store.
    """

    store: ReplayStore
    sampler: Sampler
    journal: Journal


@dataclass(frozen=True)
class Results:
    """Destinations of the loop's results.

    Attributes:
        metrics: Takes rows of scalars.
        checkpoints: Takes checkpoints.
        start: Takes the first policy that is published, which stays.
        learner_epoch: Number of the learner's start, written into checkpoints.
        facts: More facts that are written into checkpoints.
    """

    metrics: Metrics
    checkpoints: CheckpointFolder
    start: CheckpointFolder
    learner_epoch: int
    facts: Mapping[str, Any]

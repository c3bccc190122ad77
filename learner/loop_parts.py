"""The parts of a training loop: the data, what the loop reaches outside itself by, where its results go."""

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
    """What the loop reaches outside itself by."""

    readers: Callable[[], Iterable[LogReader]]  # every log there is, always in the same order
    publish: Callable[[int, dict[str, NDArray[np.float32]]], None]  # given a policy_version and weights
    sync: Callable[[], None]  # returns when the logs survive a power cut


@dataclass(frozen=True)
class Replay:
    """The data that blocks are drawn from.

    Attributes:
        store: What may be drawn.
        sampler: Draws from `store`.
        journal: Opened at the step of the counters; what it has seen becomes visible in the store.
    """

    store: ReplayStore
    sampler: Sampler
    journal: Journal


@dataclass(frozen=True)
class Results:
    """Where the loop leaves what it makes.

    Attributes:
        metrics: Takes rows of scalars.
        checkpoints: Takes checkpoints.
        learner_epoch: Noted in checkpoints.
        facts: Noted in checkpoints too.
    """

    metrics: Metrics
    checkpoints: CheckpointFolder
    learner_epoch: int
    facts: Mapping[str, Any]

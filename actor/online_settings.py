"""Arguments of an online run beside environment and operator: settings, destinations of its steps, hooks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from steadyhand.actor.config import ActorConfig
from steadyhand.actor.pause import pause
from steadyhand.actor.session_log import Session
from steadyhand.transport.uplink import Uplink

__all__ = ["Hooks", "OnlineSettings", "Recording"]


@dataclass(frozen=True)
class OnlineSettings:
    """Settings of an online run.

    Attributes:
        actor: Duration and pace.
        seed: Seed of resets and of the policy's noise.
        encoder_weights: File of the policy's frozen encoder, where it needs one.
        quota_bytes: Bytes that may wait for the learner; from this size on the robot holds, and no episode begins.
        min_free_bytes: The robot also holds when less than this is free on the log's disk.
    """

    actor: ActorConfig
    seed: int
    encoder_weights: str | None = None
    quota_bytes: float = math.inf
    min_free_bytes: int = 0


@dataclass(frozen=True)
class Recording:
    """Destinations of an online run's steps.

    Attributes:
        uplink: Link to the learner, over the session's log; not yet connected.
        session: The log.
        metrics_path: File with one row per episode; an earlier start's rows are continued.
    """

    uplink: Uplink
    session: Session
    metrics_path: Path


@dataclass(frozen=True)
class Hooks:
    """Functions of the caller that an online run calls.

    Attributes:
        stop: Returns whether to end: a `StopFlag`.
        idle: Called again and again while there is nothing to do; by default it lets a moment pass. It may do the
            learner's work when both are in one process.
        accepted: Called once the learner has accepted this actor, before anything moves.
    """

    stop: Callable[[], bool]
    idle: Callable[[], None] = pause
    accepted: Callable[[], object] = lambda: None

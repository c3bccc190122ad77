"""What an online run is given beside environment and operator: settings, where its steps go, functions to call."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from steadyhand.actor.config import ActorConfig
from steadyhand.actor.session_log import Session
from steadyhand.actor.waiting import pause
from steadyhand.transport.uplink import Uplink

__all__ = ["Hooks", "OnlineSettings", "Recording"]


@dataclass(frozen=True)
class OnlineSettings:
    """Settings of an online run.

    Attributes:
        actor: How long, at which pace.
        seed: Of resets and of the policy's noise.
        encoder_weights: Of the policy's frozen encoder, where it needs a file.
        quota_bytes: Records that may wait for the learner; from here on the robot holds, and no episode begins.
        min_free_bytes: The same when less than this is free on the log's disk.
    """

    actor: ActorConfig
    seed: int
    encoder_weights: str | None = None
    quota_bytes: float = math.inf
    min_free_bytes: int = 0


@dataclass(frozen=True)
class Recording:
    """Where the steps of an online run go.

    Attributes:
        uplink: To the learner, over the session's log; not yet connected.
        session: The log.
        metrics_path: Gets one row per episode; an earlier start's rows are continued.
    """

    uplink: Uplink
    session: Session
    metrics_path: Path


@dataclass(frozen=True)
class Hooks:
    """Functions of the caller that an online run calls.

    Attributes:
        stop: Whether to end: a `StopFlag`.
        idle: Called again and again while there is nothing to do; by default it lets a moment pass. Within one process
            it may do the learner's work.
        accepted: Called once the learner has accepted this actor, before anything moves.
    """

    stop: Callable[[], bool]
    idle: Callable[[], None] = pause
    accepted: Callable[[], object] = lambda: None

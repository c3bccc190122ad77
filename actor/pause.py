"""Waits between episodes: the robot does not move until there is a reason to go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium

from steadyhand.actor.control_loop import INTERRUPTED
from steadyhand.actor.events import Events, StopCleared
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.robot_envs.teachable import teachable
from steadyhand.runtime.clock import Clock, MonotonicClock

__all__ = ["pause", "resume_after_stop"]

PAUSE_NS = 2_000_000  # short enough for lockstep, long enough to cost nothing


def pause(clock: Clock | None = None, duration_ns: int = PAUSE_NS) -> None:
    """Let a moment pass."""
    clock = clock or MonotonicClock()
    clock.sleep_until(clock.now_ns() + duration_ns)


def resume_after_stop(
    env: gymnasium.Env[Any, Any],
    operator: Operator,
    stop_reason: str,
    stop: Callable[[], bool],
    idle: Callable[[], None] = pause,
    events: Events | None = None,
) -> None:
    """Wait after a stop until the operator confirms that it is safe to go on, or until `stop` returns True.

    Args:
        env: The environment, whose latched stop is released.
        operator: The operator to ask.
        stop_reason: Stop reason of the episode that has just ended; "" returns at once.
        stop: Returns whether the process is to end; the stop then stays latched.
        idle: Lets a moment pass between two questions.
        events: Gets the clearing of the stop.
    """
    if stop_reason in ("", INTERRUPTED):
        return
    robot = teachable(env)
    while True:
        # The operator's answer does not cover a stop that comes after the question.
        since = robot.stops
        if operator.may_resume(stop_reason):
            if robot.resume(since):
                if events is not None:
                    events.emit(StopCleared(stop_reason))
                return
        elif stop():
            return
        idle()

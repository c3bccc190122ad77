"""The operator's break: the running episode ends, the arm waits at its park pose, and no stop latches."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium

from steadyhand.actor.events import BreakBegan, BreakEnded, Events
from steadyhand.actor.pause import resume_after_stop
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.robot_envs.teachable import teachable
from steadyhand.runtime.logging import get_logger

__all__ = ["PARKED", "OperatorBreak"]

PARKED = "parked"

logger = get_logger("actor.break")


class OperatorBreak:
    """A break between two episodes, until the operator ends it.

    Args:
        env: The environment to park; it is checked before the break ends.
        operator: The operator, who asks for the break and ends it.
        events: Gets the begin and the end of the break.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], operator: Operator, events: Events | None = None) -> None:
        self._events = events or Events()
        self._env, self._robot, self._operator = env, teachable(env), operator
        self._requested = False

    def requested(self) -> bool:
        """Return whether the operator has asked for a break since the last one. It ends the running episode first."""
        self._requested = self._operator.wants_park() or self._requested
        return self._requested

    def run(self, stop: Callable[[], bool], wait: Callable[[str], None]) -> None:
        """Park, and return when the operator ends the break and the checks pass; the next reset tares.

        Args:
            stop: Returns whether the process is to end; the break then ends too.
            wait: Lets a moment pass, and shows the reason of the wait.
        """
        self._requested = False
        self._robot.park()
        logger.info("parked; the operator's resume ends the break")
        self._events.emit(BreakBegan())
        why = ""
        while not stop():
            idle = partial(wait, f"the operator to end the break{why}")
            resume_after_stop(self._env, self._operator, PARKED, stop, idle)
            if stop() or not (objection := self._robot.preflight()):
                self._events.emit(BreakEnded())
                return
            if why != (why := f" (not yet: {objection})"):
                logger.warning("the break goes on: %s; fix it, then resume", objection)
            wait(f"the operator to end the break{why}")

"""The person's enable of motion, and the person's requests to the control loop."""

from __future__ import annotations

import threading
from typing import Literal

from steadyhand.actor.events import Events, Fault, FaultRecovered, MotionDisabled, MotionEnabled

__all__ = ["NOT_YET", "MotionEnable", "Verdict"]

Verdict = Literal["success", "failure", "reset"]
NOT_YET = "motion has not been enabled yet"


class MotionEnable:
    """Motion is disabled until a person enables it, and after every stop; a fault needs a recovery first.

    Any thread may call.

    Args:
        events: Gets the reason whenever motion is disabled, and when it is enabled.
    """

    def __init__(self, events: Events | None = None) -> None:
        self._events = events or Events()
        self._lock = threading.Lock()
        self._enabled = False
        self._needs_recover = False
        self._verdict: Verdict | None = None
        self._park = False
        self._disables = 0
        self._person_left = False
        self.reason = NOT_YET

    @property
    def enabled(self) -> bool:
        """True while motion is allowed."""
        return self._enabled

    @property
    def needs_recover(self) -> bool:
        """True after a fault of the robot that no person has recovered from."""
        return self._needs_recover

    @property
    def person_left(self) -> bool:
        """True after the person at the operator page was lost, until a person is there again: the robot holds."""
        return self._person_left

    @property
    def disables(self) -> int:
        """Number of times that motion was disabled, whether it was enabled or not: for `enable`."""
        return self._disables

    def enable(self, since: int | None = None) -> str:
        """Allow motion, for the person.

        Args:
            since: `disables` when the person asked; a stop after that stays in force.

        Returns:
            The reason of a refusal; "" when motion is enabled.
        """
        with self._lock:
            if self._needs_recover:
                return "the robot had a fault; call actor/recover first"
            if since is not None and since != self._disables:
                return "a stop came meanwhile; enable again when it is safe"
            is_new = not self._enabled
            self._enabled, self.reason, self._person_left = True, "", False
        if is_new:
            self._events.emit(MotionEnabled())
        return ""

    def disable(self, reason: str) -> None:
        """Forbid motion. The first reason stays until a person enables motion again."""
        with self._lock:
            was_enabled, self._enabled = self._enabled, False
            self._disables += 1
            if was_enabled:
                self.reason = reason
        if was_enabled:
            self._events.emit(MotionDisabled(reason))

    def fault(self) -> None:
        """Note a fault that the robot reports."""
        with self._lock:
            is_new, self._needs_recover = not self._needs_recover, True
        if is_new:
            self.disable("robot_fault")
            self._events.emit(Fault("robot_fault"))

    def recovered(self) -> None:
        """Note that a person has recovered from the fault."""
        with self._lock:
            was_needed, self._needs_recover = self._needs_recover, False
        if was_needed:
            self._events.emit(FaultRecovered())

    def lose_person(self) -> None:
        """Note that the connection to the person was lost; no stop is latched."""
        self._person_left = True

    def find_person(self) -> None:
        """Note that the person is there again."""
        self._person_left = False

    def judge(self, verdict: Verdict) -> None:
        """Give the person's verdict on the running episode, or end it."""
        self._verdict = verdict

    def park(self) -> None:
        """Ask for a break, for the person."""
        self._park = True

    def pop_park(self) -> bool:
        """Return True when a person has asked for a break since the last call."""
        park, self._park = self._park, False
        return park

    def pop_verdict(self) -> Verdict | None:
        """Return the person's verdict since the last call; None without one."""
        verdict, self._verdict = self._verdict, None
        return verdict

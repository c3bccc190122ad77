"""Whether the arm may move: what persons have said. Needs no ROS."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

__all__ = ["Mark", "Permission"]

Mark = Literal["success", "failure", "reset"]


class Permission:
    """Nobody's until a person gives it; lost at every stop, and a fault has to be recovered from before it returns.

    Args:
        tell: Gets the reason whenever permission is lost.
    """

    def __init__(self, tell: Callable[[str], None] = lambda reason: None) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._given = False
        self._needs_recover = False
        self._mark: Mark | None = None
        self._park = False
        self._withdrawals = 0
        self.reason = "nobody has enabled motion yet"

    @property
    def given(self) -> bool:
        """Whether motion is allowed."""
        return self._given

    @property
    def needs_recover(self) -> bool:
        """Whether the robot reported a fault that nobody has recovered from."""
        return self._needs_recover

    @property
    def withdrawals(self) -> int:
        """How often motion was forbidden, whether it was allowed or not: for `give`."""
        return self._withdrawals

    def give(self, since: int | None = None) -> str:
        """A person allows motion.

        Args:
            since: `withdrawals` when the person said so; what was forbidden after that stays forbidden.

        Returns:
            Why it is refused; "" when it is given.
        """
        with self._lock:
            if self._needs_recover:
                return "the robot had a fault; call actor/recover first"
            if since is not None and since != self._withdrawals:
                return "a stop came meanwhile; enable again when it is safe"
            self._given, self.reason = True, ""
            return ""

    def withdraw(self, reason: str) -> None:
        """Motion is allowed no longer. The first reason stays until a person gives permission again."""
        with self._lock:
            had, self._given = self._given, False
            self._withdrawals += 1
            if had:
                self.reason = reason
        if had:
            self._tell(reason)

    def fault(self) -> None:
        """The robot reports a fault of its own."""
        with self._lock:
            is_new, self._needs_recover = not self._needs_recover, True
        if is_new:
            self.withdraw("robot_fault")

    def recovered(self) -> None:
        """A person has taken the steps out of the fault."""
        with self._lock:
            self._needs_recover = False

    def mark(self, mark: Mark) -> None:
        """A person judges the episode that runs, or ends it."""
        self._mark = mark

    def park(self) -> None:
        """A person wants a break."""
        self._park = True

    def take_park(self) -> bool:
        """Whether a person has asked for a break since the last call."""
        park, self._park = self._park, False
        return park

    def take_mark(self) -> Mark | None:
        """What a person said about the episode since the last call."""
        mark, self._mark = self._mark, None
        return mark

"""The operator's permission to move an arm, where a process may not move it by its start alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from steadyhand.robot_envs.safety.stop_reason import StopReason

__all__ = ["Permission"]


class Permission(Protocol):
    """Permission of one arm. Until it is given, and after it was withdrawn, no command may be sent."""

    @property
    def given(self) -> bool:
        """True while the arm may move."""

    def open(self, stop: Callable[[StopReason], None]) -> None:
        """Begin to take requests; `stop` holds the arm and latches the reason, from any thread."""

    def wait(self) -> None:
        """Wait until the operator gives the permission."""

    def request(self) -> str:
        """Ask for the permission after the operator's confirmation at a device; return the objection, "" = given."""

    def close(self) -> None:
        """Take no more requests."""

"""Nothing is shown."""

from __future__ import annotations

from collections.abc import Callable

from steadyhand.actor.console.status import Status

__all__ = ["NoConsole"]


class NoConsole:
    """For tests, and for programs that show something themselves."""

    def start(self, status: Callable[[], Status]) -> None:
        """Nothing."""

    def episode_done(self) -> None:
        """Nothing."""

    def waiting(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""

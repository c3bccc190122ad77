"""Nothing is shown."""

from __future__ import annotations

from collections.abc import Callable

from steadyhand.actor.console.status import Status
from steadyhand.actor.events import EpisodeLogged, Waiting

__all__ = ["NoConsole"]


class NoConsole:
    """For tests, and for programs that show something themselves."""

    def start(self, status: Callable[[], Status]) -> None:
        """Nothing."""

    def episode_done(self, event: EpisodeLogged) -> None:
        """Nothing."""

    def waiting(self, event: Waiting) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""

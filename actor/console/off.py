"""The console that shows nothing."""

from __future__ import annotations

from collections.abc import Callable

from steadyhand.actor.console.status import Status
from steadyhand.actor.events import EpisodeLogged, Waiting

__all__ = ["NoConsole"]


class NoConsole:
    """A console without output, for tests and for programs with a display of their own."""

    def start(self, status: Callable[[], Status]) -> None:
        """Do nothing."""

    def episode_done(self, event: EpisodeLogged) -> None:
        """Do nothing."""

    def waiting(self, event: Waiting) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

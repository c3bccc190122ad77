"""The operator's lease: one page at a time operates, and only while it gives signs of life."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol

from steadyhand.runtime.clock import Clock

__all__ = ["Lease", "Operated"]


class Operated(Protocol):
    """The part that is told whether a person operates."""

    def arrive(self) -> None:
        """Note that a person operates from now on."""

    def leave(self, reason: str, polite: bool) -> None:
        """Note that no person operates. `polite`: the person gave up the lease."""


class Lease:
    """Holds the page of the one person who operates. One thread calls.

    A page that was silent for `silence_s` has lost the lease. It gets the lease back with its next sign of life, unless
    another page took it.

    Args:
        silence_s: Longest time without a sign of life.
        clock: Monotonic.
        operated: Is told of every change.
    """

    def __init__(self, silence_s: float, clock: Clock, operated: Operated) -> None:
        self._silence_ns, self._clock, self._operated = round(silence_s * 1e9), clock, operated
        self._page: Hashable | None = None
        self._heard_ns = 0
        self._silent = False

    @property
    def taken(self) -> bool:
        """True while a page operates."""
        return self._page is not None and not self._silent

    def is_held_by(self, page: Hashable) -> bool:
        """Return whether this page operates."""
        return self.taken and page == self._page

    def take(self, page: Hashable) -> bool:
        """Give the lease to a page; return False when another page holds it."""
        if self.taken and page != self._page:
            return False
        is_new = not self.is_held_by(page)
        self._page, self._silent, self._heard_ns = page, False, self._clock.now_ns()
        if is_new:
            self._operated.arrive()
        return True

    def note_life(self, page: Hashable) -> bool:
        """Note a sign of life; return whether this page operates."""
        return page == self._page and self.take(page)

    def give_up(self, page: Hashable) -> None:
        """Take the lease from a page whose person asked for it."""
        self._end(page, "the person gave up control", polite=True)

    def drop(self, page: Hashable) -> None:
        """Take the lease from a page whose connection is gone."""
        self._end(page, "the connection to the operator page is gone", polite=False)

    def check(self) -> None:
        """Take the lease from a page that is silent."""
        if self.taken and self._clock.now_ns() - self._heard_ns > self._silence_ns:
            self._silent = True
            self._operated.leave("the operator page is silent", polite=False)

    def _end(self, page: Hashable, reason: str, polite: bool) -> None:
        if page != self._page:
            return
        was_taken, self._page = self.taken, None
        if was_taken:
            self._operated.leave(reason, polite)

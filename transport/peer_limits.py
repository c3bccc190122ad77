"""Limits of the messages that a peer may send to the learner."""

from __future__ import annotations

from collections.abc import Hashable

from steadyhand.runtime.clock import Clock
from steadyhand.transport.rate_limit import RateLimit
from steadyhand.transport.wire import Hello, Lost, Message, WireError

__all__ = ["ERROR_WINDOW_S", "MAX_HELLOS", "MAX_WIRE_ERRORS", "PeerLimits"]

MAX_WIRE_ERRORS = 8  # of one peer within the window, then it is dropped for as long
ERROR_WINDOW_S = 60.0
MAX_HELLOS = 60  # of one peer within the window
MAX_LOST_MESSAGES = 256  # of one peer within the window: each one takes more room here than there
MAX_COUNTED = 1024  # peers whose errors are remembered


class PeerLimits:
    """Counts the bad messages of each peer, and those that cost more here than there. One thread counts; any may ask.

    Args:
        clock: Measures the window.
    """

    def __init__(self, clock: Clock) -> None:
        limits = (ERROR_WINDOW_S, MAX_COUNTED, clock)
        self._errors = RateLimit(MAX_WIRE_ERRORS, *limits)
        self._hellos, self._losses = RateLimit(MAX_HELLOS, *limits), RateLimit(MAX_LOST_MESSAGES, *limits)

    def dropped(self, peer: Hashable) -> bool:
        """Return whether the peer has sent too many bad messages."""
        return self._errors.exceeded(peer)

    def count_error(self, peer: Hashable) -> bool:
        """Count a bad message; return whether the peer is dropped for it."""
        return self._errors.count(peer)

    def check(self, peer: Hashable, message: Message) -> None:
        """Count a HELLO or a loss.

        Raises:
            WireError: The peer has sent too many of them.
        """
        for kind, limit, most in ((Hello, self._hellos, MAX_HELLOS), (Lost, self._losses, MAX_LOST_MESSAGES)):
            if isinstance(message, kind):
                if limit.exceeded(peer):
                    name = kind.__name__
                    raise WireError(f"{name}: expected at most {most} of a peer within {ERROR_WINDOW_S:.0f} s")
                limit.count(peer)

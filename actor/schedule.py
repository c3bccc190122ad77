"""Due times of a loop at a fixed rate, and the regularity of the loop."""

from __future__ import annotations

from steadyhand.actor.timing import Timing

__all__ = ["Schedule"]

_NS = 1_000_000_000


class Schedule:
    """Periods of one rate. After an overrun they start anew instead of catching up.

    Args:
        rate_hz: Rate of the loop.
        now_ns: Start of the loop.
    """

    def __init__(self, rate_hz: float, now_ns: int) -> None:
        self.timing = Timing()
        self.missed = 0
        self._period_ns = round(_NS / rate_hz)
        self._last_ns = now_ns
        self.due_ns = now_ns + self._period_ns

    def begin(self, now_ns: int) -> None:
        """Begin a period that was due: note the duration of the last one, and the due time of the next."""
        self.timing.add(now_ns - self._last_ns)
        self._last_ns = now_ns
        self.due_ns += self._period_ns
        if now_ns >= self.due_ns:
            self.missed += 1
            self.due_ns = now_ns + self._period_ns

"""The largest rate of the pictures."""

from __future__ import annotations

from steadyhand.runtime.clock import Clock

__all__ = ["Pace"]

BURST = 2.0  # pictures at once: a source of just this rate, with jitter, never waits


class Pace:
    """Limits a rate by a token bucket.

    Args:
        rate_hz: Largest mean rate.
        clock: Monotonic.
    """

    def __init__(self, rate_hz: float, clock: Clock) -> None:
        self._rate_hz, self._clock = rate_hz, clock
        self._credit, self._counted_ns = BURST, clock.now_ns()

    def wait_s(self) -> float:
        """Return the time until the next one is allowed; 0 = now."""
        now_ns = self._clock.now_ns()
        self._credit = min(BURST, self._credit + self._rate_hz * (now_ns - self._counted_ns) / 1e9)
        self._counted_ns = now_ns
        return max(0.0, 1.0 - self._credit) / self._rate_hz

    def spend(self) -> None:
        """Count one."""
        self._credit -= 1.0

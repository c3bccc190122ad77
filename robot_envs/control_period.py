"""The control period: the time between two actions, and the wait for its end."""

from __future__ import annotations

from steadyhand.runtime.clock import Clock

__all__ = ["ControlPeriod"]


class ControlPeriod:
    """The schedule of a control loop.

    Args:
        period_s: Time between two actions.
    """

    def __init__(self, period_s: float) -> None:
        self._period_ns = round(period_s * 1_000_000_000)
        self._next_ns = 0

    def begin(self, clock: Clock) -> None:
        """Begin a period now."""
        self._next_ns = clock.now_ns() + self._period_ns

    def wait(self, clock: Clock) -> bool:
        """Sleep until the end of the period; return whether it was overrun.

        After an overrun the schedule restarts, instead of catching up in a burst. A busy machine may also wake the loop
        late, and then the next period would be too short.
        """
        now = clock.now_ns()
        overrun = now > self._next_ns
        if overrun:
            self._next_ns = now + self._period_ns
        clock.sleep_until(self._next_ns)
        woke = clock.now_ns()
        late = woke - self._next_ns > self._period_ns // 4
        self._next_ns = (woke if late else self._next_ns) + self._period_ns
        return overrun or late

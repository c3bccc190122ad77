"""The regularity of the control loop, measured from reading to reading."""

from __future__ import annotations

from steadyhand.actor.events import EpisodeBegan, Events, StepEnded
from steadyhand.actor.timing import Timing

__all__ = ["EARLY", "LATE", "LoopTimes"]

LATE, EARLY = 1.5, 0.5  # control periods


class LoopTimes:
    """Periods of the control loop over all episodes; a reset is no period.

    Args:
        period_s: The control period.
    """

    def __init__(self, period_s: float) -> None:
        self.period = Timing()
        self.missed = 0  # later than `LATE` periods
        self.bursts = 0  # earlier than `EARLY` periods: commands that catch up
        self._period_ns = round(period_s * 1e9)
        self._last_ns: int | None = None

    def follow(self, events: Events) -> None:
        """Measure every episode that `events` emit."""
        events.subscribe(EpisodeBegan, self._on_begin)
        events.subscribe(StepEnded, self._on_step)

    def begin(self, now_ns: int) -> None:
        """Start an episode."""
        self._last_ns = now_ns

    def look(self, now_ns: int) -> None:
        """Take in the end of a step."""
        if self._last_ns is not None:
            took_ns = now_ns - self._last_ns
            self.period.add(took_ns)
            self.missed += took_ns > LATE * self._period_ns
            self.bursts += took_ns < EARLY * self._period_ns
        self._last_ns = now_ns

    def _on_begin(self, event: EpisodeBegan) -> None:
        self.begin(event.stamp_ns)

    def _on_step(self, event: StepEnded) -> None:
        self.look(event.stamp_ns)

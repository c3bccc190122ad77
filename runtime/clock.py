"""Monotonic time for control and staleness, and wall time for logs."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Protocol

__all__ = ["Clock", "FakeClock", "MonotonicClock", "utc_text", "wall_time_ns"]

NS_PER_S = 1_000_000_000


class Clock(Protocol):
    """A clock that only moves forward. Its zero is arbitrary, and each machine has its own."""

    def now_ns(self) -> int:
        """Return the time now, in nanoseconds."""
        ...

    def sleep_until(self, t_ns: int) -> None:
        """Return when `now_ns() >= t_ns`; at once when that is already so."""
        ...


class MonotonicClock:
    """The machine's monotonic clock, which does not jump when the date is set."""

    def now_ns(self) -> int:
        """Return the time now, in nanoseconds."""
        return time.monotonic_ns()

    def sleep_until(self, t_ns: int) -> None:
        """Sleep until `t_ns`; never wakes early, never sleeps for a time already past."""
        while (left_ns := t_ns - time.monotonic_ns()) > 0:
            time.sleep(left_ns / NS_PER_S)  # noqa: TID251


class FakeClock:
    """A clock that moves only by its methods, so that a test of an hour takes no time."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """Return the time that the test has reached, in nanoseconds."""
        return self._now_ns

    def sleep_until(self, t_ns: int) -> None:
        """Jump to `t_ns`; stay when it is already past."""
        self._now_ns = max(self._now_ns, t_ns)

    def advance_ns(self, step_ns: int) -> None:
        """Move forward by `step_ns`, for a part of the test that takes time without sleeping."""
        if step_ns < 0:
            raise ValueError(f"a clock only moves forward: expected step_ns >= 0, found {step_ns}")
        self._now_ns += step_ns


def wall_time_ns() -> int:
    """Return nanoseconds since 1970. It may jump: for names, logs and manifests, never for control."""
    return time.time_ns()  # noqa: TID251


def utc_text(time_ns: int) -> str:
    """Return a wall time as ISO 8601 in UTC to the second, such as `2025-01-31T12:00:00Z`."""
    return datetime.fromtimestamp(time_ns // NS_PER_S, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Progress as plain lines, for a file or a pipe."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TextIO

from steadyhand.actor.console.status import Status
from steadyhand.actor.events import EpisodeLogged, Waiting
from steadyhand.runtime.clock import Clock

__all__ = ["PlainConsole", "progress_line"]


class PlainConsole:
    """Writes one line every few seconds, and one whenever there is a new reason to wait.

    Args:
        out: Stream to write to.
        every_s: Shortest time between two lines of progress.
        clock: Monotonic.
    """

    def __init__(self, out: TextIO, every_s: float, clock: Clock) -> None:
        self._out, self._every_ns, self._clock = out, round(every_s * 1e9), clock
        self._next_ns = clock.now_ns()
        self._status: Callable[[], Status] | None = None

    def start(self, status: Callable[[], Status]) -> None:
        """Begin."""
        self._status = status

    def episode_done(self, event: EpisodeLogged) -> None:
        """Write a line, unless the last one is too young."""
        if self._clock.now_ns() >= self._next_ns:
            self._write_progress()

    def waiting(self, event: Waiting) -> None:
        """Write the reason."""
        if self._status is not None and event.reason:
            self._write(f"waiting for {event.reason}")

    def close(self) -> None:
        """Write the last line."""
        if self._status is not None:
            self._write_progress()
        self._status = None

    def _write_progress(self) -> None:
        self._next_ns = self._clock.now_ns() + self._every_ns
        if self._status is not None:
            self._write(progress_line(self._status()))

    def _write(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()


def progress_line(status: Status) -> str:
    """Return one line about `status`."""
    age = "-" if math.isinf(status.policy_age_s) else f"{status.policy_age_s:.0f} s"
    parts = [
        f"episode {status.episode}",
        f"step {status.env_steps}/{status.max_env_steps}",
        f"{status.control_minutes:.1f} min",
        f"success alone {status.success_alone:.0%} helped {status.success_helped:.0%} of last {status.success_window}",
        f"interventions {status.intervention_rate:.0%}",
        f"updates {status.updates} (UTD {status.utd_ratio:.2f})",
        f"policy v{status.policy_version} {age}",
        f"{status.step_rate_hz:.1f} steps/s",
        f"learner {status.learner_phase if status.connected else 'not connected'}",
    ]
    parts += [f"{status.quarantined} records quarantined"] if status.quarantined else []
    return " | ".join(parts)

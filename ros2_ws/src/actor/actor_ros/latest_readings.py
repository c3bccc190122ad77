"""The newest reading of each of the actor's sources, by name, with its local time of receipt."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

from steadyhand.robot_envs.safety.freshness import Freshness
from steadyhand.runtime.clock import Clock

__all__ = ["CLOCK", "LatestReadings"]

CLOCK = "/clock of use_sim_time"  # name of the clock as a source that was never heard or stands still


class LatestReadings:
    """Store of readings, written by the callback thread or on request. Any thread may read it.

    Args:
        clock: The clock of the receive times. The stamps of messages are ignored.
        clock_stands: Returns whether that clock stands still, as a simulator's may. Readings do not age meanwhile.
    """

    def __init__(self, clock: Clock, clock_stands: Callable[[], bool] = lambda: False) -> None:
        self.clock, self._clock_stands = clock, clock_stands
        self._lock = threading.RLock()  # the reading of one source may need that of another
        self._pulls: dict[str, Callable[[], None]] = {}
        self._freshness: dict[str, Freshness] = {}
        self._newest: dict[str, tuple[Any, int]] = {}
        self._refused: dict[str, str] = {}

    def expect(self, name: str, max_age_s: float | None) -> None:
        """Add a source. A source without `max_age_s` publishes only on a change; once heard it is never silent."""
        self._freshness[name] = Freshness(max_age_s)

    def follow(self, name: str, pull: Callable[[], None]) -> None:
        """Call `pull` at each request of a source; `pull` puts or refuses the messages received since."""
        self._pulls[name] = pull

    def put(self, name: str, value: Any, received_ns: int | None = None) -> None:
        """Store a reading with its time of receipt [ns]; None = now."""
        received_ns = self.clock.now_ns() if received_ns is None else received_ns
        self._refused.pop(name, None)
        self._newest[name] = (value, received_ns)
        self._freshness[name].heard(received_ns)

    def refuse(self, name: str, reason: str) -> bool:
        """Note an invalid message, which counts as not heard; return whether its reason is new."""
        is_news = self._refused.get(name) != reason
        self._refused[name] = reason
        return is_news

    def refused(self, name: str) -> str:
        """Return why the newest message of a source is invalid; "" if it is valid, or if none came."""
        return self._refused.get(name, "")

    def objection(self, advice: str = "start what publishes it, or correct the robot's profile") -> str:
        """Return the sources that are not heard or send invalid messages, as one line; "" without any.

        Args:
            advice: The advice for a source that is not heard.
        """
        silent = self.silent()
        parts = [f"{name}: {self._refused[name]}" for name in silent if name in self._refused]
        if unheard := [name for name in silent if name not in self._refused]:
            parts.append(f"not heard: {', '.join(unheard)}; {advice}")
        return "; ".join(parts)

    def newest(self, name: str) -> Any:
        """Return the newest reading; None before the first."""
        self._pull(name)
        return self._newest[name][0] if name in self._newest else None

    def reading(self, name: str) -> tuple[Any, int]:
        """Return the newest reading and its time of receipt [ns]. Raises KeyError before the first."""
        self._pull(name)
        return self._newest[name]

    def received_ns(self, name: str) -> int:
        """Return the time of receipt of the newest reading [ns]. Raises KeyError before the first."""
        self._pull(name)
        return self._newest[name][1]

    def silent(self) -> tuple[str, ...]:
        """Return the names of the sources that are not heard, or no longer heard."""
        self._pull(*self._pulls)
        now_ns = self.clock.now_ns()
        silent = tuple(name for name, freshness in self._freshness.items() if not freshness.is_fresh(now_ns))
        return (CLOCK, *silent) if self._clock_stands() else silent

    def ages_s(self) -> dict[str, float]:
        """Return the age of each source's newest reading [s]; infinite before the first."""
        self._pull(*self._pulls)
        now_ns = self.clock.now_ns()
        ages = {name: freshness.age_ns(now_ns) for name, freshness in self._freshness.items()}
        return {name: math.inf if age is None else age / 1e9 for name, age in ages.items()}

    def _pull(self, *names: str) -> None:
        for name in names:
            if (pull := self._pulls.get(name)) is not None:
                with self._lock:
                    pull()

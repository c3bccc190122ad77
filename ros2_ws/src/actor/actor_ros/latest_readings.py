"""The newest reading of everything that the actor listens to, by name, with the local time of its receipt."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

from steadyhand.robot_envs.safety.freshness import Freshness
from steadyhand.runtime.clock import Clock

__all__ = ["CLOCK", "LatestReadings"]

CLOCK = "/clock of use_sim_time"  # as a source: it was never heard, or stands still


class LatestReadings:
    """Written by the thread of the callbacks, or taken in when a reading is asked for; any thread may ask.

    Args:
        clock: Gives receive times. What messages say of their own time is not looked at.
        clock_stands: Whether that clock stands still, as a simulator's may: no reading grows old by it then.
    """

    def __init__(self, clock: Clock, clock_stands: Callable[[], bool] = lambda: False) -> None:
        self.clock, self._clock_stands = clock, clock_stands
        self._lock = threading.RLock()  # one source's reading may need another's
        self._pulls: dict[str, Callable[[], None]] = {}
        self._freshness: dict[str, Freshness] = {}
        self._newest: dict[str, tuple[Any, int]] = {}
        self._refused: dict[str, str] = {}

    def expect(self, name: str, max_age_s: float | None) -> None:
        """Listen to a source; without an age it speaks on a change only, and is never silent once it was heard."""
        self._freshness[name] = Freshness(max_age_s)

    def follow(self, name: str, pull: Callable[[], None]) -> None:
        """Call `pull` whenever a source is asked for; it puts or refuses what has come since."""
        self._pulls[name] = pull

    def put(self, name: str, value: Any, received_ns: int | None = None) -> None:
        """Take in a reading that was received then [ns]; None = now."""
        received_ns = self.clock.now_ns() if received_ns is None else received_ns
        self._refused.pop(name, None)
        self._newest[name] = (value, received_ns)
        self._freshness[name].heard(received_ns)

    def refuse(self, name: str, reason: str) -> bool:
        """A message was received that is no reading; return whether its reason is news. It counts as not heard."""
        is_news = self._refused.get(name) != reason
        self._refused[name] = reason
        return is_news

    def refused(self, name: str) -> str:
        """The reason why the newest message of a source is no reading; "" when it is one, or none came."""
        return self._refused.get(name, "")

    def objection(self, advice: str = "start what publishes it, or correct the robot's profile") -> str:
        """The sources that are not heard, or send what is no reading, as one line; "" without any.

        Args:
            advice: What to do about a source that is not heard.
        """
        silent = self.silent()
        parts = [f"{name}: {self._refused[name]}" for name in silent if name in self._refused]
        if unheard := [name for name in silent if name not in self._refused]:
            parts.append(f"not heard: {', '.join(unheard)}; {advice}")
        return "; ".join(parts)

    def newest(self, name: str) -> Any:
        """The newest reading; None before the first."""
        self._pull(name)
        return self._newest[name][0] if name in self._newest else None

    def reading(self, name: str) -> tuple[Any, int]:
        """The newest reading and when it was received [ns]. Raises KeyError before the first."""
        self._pull(name)
        return self._newest[name]

    def received_ns(self, name: str) -> int:
        """When the newest reading was received [ns]. Raises KeyError before the first."""
        self._pull(name)
        return self._newest[name][1]

    def silent(self) -> tuple[str, ...]:
        """The names of those that are not heard, or no longer."""
        self._pull(*self._pulls)
        now_ns = self.clock.now_ns()
        silent = tuple(name for name, freshness in self._freshness.items() if not freshness.is_fresh(now_ns))
        return (CLOCK, *silent) if self._clock_stands() else silent

    def ages_s(self) -> dict[str, float]:
        """The age of every source's newest reading [s]; infinite before the first."""
        self._pull(*self._pulls)
        now_ns = self.clock.now_ns()
        ages = {name: freshness.age_ns(now_ns) for name, freshness in self._freshness.items()}
        return {name: math.inf if age is None else age / 1e9 for name, age in ages.items()}

    def _pull(self, *names: str) -> None:
        for name in names:
            if (pull := self._pulls.get(name)) is not None:
                with self._lock:
                    pull()

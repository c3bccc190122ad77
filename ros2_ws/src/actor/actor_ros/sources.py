"""The newest reading of everything that the actor listens to, by name, with the local time of its receipt."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from robot_envs.safety.freshness import Freshness
from runtime.clock import Clock

__all__ = ["CLOCK", "Sources"]

CLOCK = "/clock of use_sim_time"  # as a source: it was never heard, or stands still


class Sources:
    """Written by the thread of the callbacks, read by the control loop; neither waits for the other.

    Args:
        clock: Gives receive times. What messages say of their own time is not looked at.
        clock_stands: Whether that clock stands still, as a simulator's may: no reading grows old by it then.
    """

    def __init__(self, clock: Clock, clock_stands: Callable[[], bool] = lambda: False) -> None:
        self._clock, self._clock_stands = clock, clock_stands
        self._freshness: dict[str, Freshness] = {}
        self._newest: dict[str, tuple[Any, int]] = {}
        self._refused: dict[str, str] = {}

    def expect(self, name: str, max_age_s: float | None) -> None:
        """Listen to a source; without an age it speaks on a change only, and is never silent once it was heard."""
        self._freshness[name] = Freshness(max_age_s)

    def put(self, name: str, value: Any) -> None:
        """A reading was received now."""
        now_ns = self._clock.now_ns()
        self._refused.pop(name, None)
        self._newest[name] = (value, now_ns)
        self._freshness[name].heard(now_ns)

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
        return self._newest[name][0] if name in self._newest else None

    def received_ns(self, name: str) -> int:
        """When the newest reading was received [ns]. Raises KeyError before the first."""
        return self._newest[name][1]

    def silent(self) -> tuple[str, ...]:
        """The names of those that are not heard, or no longer."""
        now_ns = self._clock.now_ns()
        silent = tuple(name for name, freshness in self._freshness.items() if not freshness.is_fresh(now_ns))
        return (CLOCK, *silent) if self._clock_stands() else silent

    def ages_s(self) -> dict[str, float]:
        """The age of every source's newest reading [s]; infinite before the first."""
        now_ns = self._clock.now_ns()
        ages = {name: freshness.age_ns(now_ns) for name, freshness in self._freshness.items()}
        return {name: math.inf if age is None else age / 1e9 for name, age in ages.items()}

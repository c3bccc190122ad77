"""Timing: how often a function runs in a second, several of them in turns, and percentiles of single calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import mkdtemp

import numpy as np
import torch

from steadyhand.runtime.clock import MonotonicClock

__all__ = ["CLOCK", "Plan", "in_turns", "percentile_ms", "seconds", "threads", "times_ms"]

CLOCK = MonotonicClock()


@dataclass(frozen=True)
class Plan:
    """How thoroughly to measure, and where files may be put.

    Attributes:
        quick: Sizes and times of a test: every line of the benchmark runs, and no figure of it means anything.
        folder: On the disk that is measured.
        results: Takes what is more than a row, such as a drawing.
        repeats: Rounds of which a median is taken.
    """

    quick: bool
    folder: Path
    results: Path
    repeats: int = 5

    def pick(self, full: int, quick: int) -> int:
        """Return a size."""
        return quick if self.quick else full

    def time_s(self, full_s: float) -> float:
        """Return a duration."""
        return 0.02 if self.quick else full_s

    @property
    def rounds(self) -> int:
        """How many rounds to make."""
        return 1 if self.quick else self.repeats

    def new_folder(self, name: str) -> Path:
        """Return an empty folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return Path(mkdtemp(prefix=f"{name}-", dir=self.folder))


def seconds(function: Callable[[], object]) -> float:
    """Return how long one call takes, in seconds."""
    began_ns = CLOCK.now_ns()
    function()
    return (CLOCK.now_ns() - began_ns) / 1e9


def in_turns(plan: Plan, functions: Mapping[str, Callable[[], object]], round_s: float) -> dict[str, float]:
    """Return the median time of one call of each function, in seconds.

    They are measured in turns, so that a busy moment of the machine falls on all of them. A first call of each is not
    counted, and says how many more a round of `round_s` has room for.
    """
    calls = {}
    for name, function in functions.items():
        first_s = seconds(function)
        if first_s < round_s:
            first_s = seconds(function)  # what only the first call has to do is left out
        calls[name] = max(1, int(plan.time_s(round_s) / max(first_s, 1e-7)))
    found: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(plan.rounds):
        for name, function in functions.items():
            began_ns = CLOCK.now_ns()
            for _ in range(calls[name]):
                function()
            found[name].append((CLOCK.now_ns() - began_ns) / 1e9 / calls[name])
    return {name: median(values) for name, values in found.items()}


def times_ms(function: Callable[[], object], calls: int) -> list[float]:
    """Return the time of each of many calls, in milliseconds."""
    return [1e3 * seconds(function) for _ in range(calls)]


def percentile_ms(times: list[float], percent: float) -> float:
    """Return a percentile of times, in their unit."""
    return float(np.percentile(times, percent))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""Timing: calls per second of functions measured in turns, and percentiles of single calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import mkdtemp

import numpy as np
import torch

from steadyhand.learner.device import resolve_matmul
from steadyhand.learner.malloc import keep_freed_memory
from steadyhand.runtime.clock import MonotonicClock

__all__ = ["CLOCK", "Plan", "computing", "in_turns", "percentile_ms", "seconds", "times_ms"]

CLOCK = MonotonicClock()


@dataclass(frozen=True)
class Plan:
    """The thoroughness of the measurements, and the folders for files.

    Attributes:
        quick: Whether to use the sizes and times of a test: all code runs, but the figures are meaningless.
        folder: A folder on the measured disk.
        results: Folder for results other than rows, such as a drawing.
        repeats: Number of rounds, whose median is taken.
    """

    quick: bool
    folder: Path
    results: Path
    repeats: int = 5

    def pick(self, full: int, quick: int) -> int:
        """Return the size for this plan."""
        return quick if self.quick else full

    def time_s(self, full_s: float) -> float:
        """Return the duration for this plan [s]."""
        return 0.02 if self.quick else full_s

    @property
    def rounds(self) -> int:
        """The number of rounds."""
        return 1 if self.quick else self.repeats

    def new_folder(self, name: str) -> Path:
        """Return an empty folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return Path(mkdtemp(prefix=f"{name}-", dir=self.folder))


def seconds(function: Callable[[], object]) -> float:
    """Return the duration of one call [s]."""
    began_ns = CLOCK.now_ns()
    function()
    return (CLOCK.now_ns() - began_ns) / 1e9


def in_turns(plan: Plan, functions: Mapping[str, Callable[[], object]], round_s: float) -> dict[str, float]:
    """Return the median duration of one call of each function [s].

    The functions are measured in turns, so that a busy moment of the machine affects all of them. The first call of
    each is not counted; it determines the number of calls in a round of `round_s`.
    """
    calls = {}
    for name, function in functions.items():
        first_s = seconds(function)
        if first_s < round_s:
            first_s = seconds(function)  # not counted, because a first call may do extra work
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
    """Return the duration of each of `calls` calls [ms]."""
    return [1e3 * seconds(function) for _ in range(calls)]


def percentile_ms(times: list[float], percent: float) -> float:
    """Return a percentile of times, in their unit."""
    return float(np.percentile(times, percent))


@contextmanager
def computing(count: int) -> Iterator[None]:
    """Let torch compute as in the learner while the context lasts: its precision of products, and `count` threads.

    The memory that is freed stays with the process from then on, as in the learner.
    """
    keep_freed_memory()
    before = torch.get_num_threads(), torch.get_float32_matmul_precision()
    torch.set_num_threads(count)
    torch.set_float32_matmul_precision(resolve_matmul("auto", torch.device("cpu")))
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.set_float32_matmul_precision(before[1])

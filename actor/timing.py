"""The newest samples of one duration, and their percentiles."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["Percentiles", "Timing"]


class Percentiles(NamedTuple):
    """Of a duration, in milliseconds; `max_ms` is over all samples, the others over the newest."""

    p50_ms: float
    p99_ms: float
    max_ms: float


class Timing:
    """Keeps the newest `capacity` samples, so that a run of hours needs no more memory than one of minutes."""

    def __init__(self, capacity: int = 4096) -> None:
        self._samples = np.zeros(capacity, np.int64)
        self._max_ns = 0
        self.count = 0

    def add(self, duration_ns: int) -> None:
        """Add one sample, in nanoseconds."""
        self._samples[self.count % len(self._samples)] = duration_ns
        self._max_ns = max(self._max_ns, duration_ns)
        self.count += 1

    def percentiles(self) -> Percentiles:
        """Return the percentiles; zeros without samples."""
        if self.count == 0:
            return Percentiles(0.0, 0.0, 0.0)
        p50, p99 = np.percentile(self._samples[: self.count], [50, 99]) / 1e6
        return Percentiles(float(p50), float(p99), self._max_ns / 1e6)

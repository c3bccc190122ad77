"""The smooth known motion of a latency measurement: a sine whose frequency rises, so that it matches itself once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from steadyhand.runtime.ranges import expect, expect_above, expect_length

__all__ = ["Chirp"]


@dataclass(frozen=True)
class Chirp:
    """A motion along one direction of the base frame, which begins and ends at rest.

    Attributes:
        direction: Direction, base frame. Shape (3,).
        amplitude_m: Amplitude.
        first_hz: Frequency at the beginning.
        last_hz: Frequency at the end.
        duration_s: Duration.
        ramp_s: Time in which the amplitude grows at the beginning, and shrinks at the end.
    """

    direction: tuple[float, ...]
    amplitude_m: float
    first_hz: float
    last_hz: float
    duration_s: float
    ramp_s: float

    def __post_init__(self) -> None:
        expect_length(self, 3, "direction")
        expect(any(self.direction), "direction", "a direction of the base frame", list(self.direction))
        expect_above(self, 0.0, "amplitude_m", "first_hz", "last_hz", "duration_s", "ramp_s")
        expect(2.0 * self.ramp_s <= self.duration_s, "ramp_s", "at most half of duration_s", self.ramp_s)

    @property
    def max_speed_m_s(self) -> float:
        """Upper bound of the speed."""
        return self.amplitude_m * (2.0 * math.pi * max(self.first_hz, self.last_hz) + 1.0 / self.ramp_s)

    def offset(self, time_s: float) -> np.ndarray:
        """Return the displacement from the start. Shape (3,); [m], base frame."""
        t = min(max(time_s, 0.0), self.duration_s)
        rise = (self.last_hz - self.first_hz) / self.duration_s
        phase = 2.0 * math.pi * (self.first_hz * t + 0.5 * rise * t * t)
        envelope = min(1.0, t / self.ramp_s, (self.duration_s - t) / self.ramp_s)
        unit = np.array(self.direction) / float(np.linalg.norm(self.direction))
        return unit * (self.amplitude_m * envelope * math.sin(phase))

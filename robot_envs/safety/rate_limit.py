"""Velocity, acceleration and jerk limits of a sampled command, for vectors of any length.

The limits hold from command to command, as in libfranka's ``limitRate``. Unlike there, the acceleration is chosen so
that it is back at zero when the wanted velocity is reached: a limited command does not overshoot, and braking is a
known path.

All vectors are plain tuples: they have one to three numbers, for which numpy takes longer than Python.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from steadyhand.runtime.ranges import expect_above

__all__ = [
    "AT_REST",
    "RateLimits",
    "Rates",
    "Vector",
    "approach",
    "at_rest",
    "speed_to_stop_within",
    "stopping_distance",
]

_HALVINGS = 6
_ROUNDING = 1e-12
_LONGEST_STOP = 50  # commands; denser ones are taken as continuous
_FINE = 0.25  # share of the acceleration limit that one period changes at most, for commands that count as continuous

Vector = tuple[float, ...]


@dataclass(frozen=True)
class RateLimits:
    """Largest lengths of the velocity and of its first two derivatives.

    Attributes:
        speed: [m/s] or [rad/s].
        acceleration: [m/s^2] or [rad/s^2].
        jerk: [m/s^3] or [rad/s^3].
    """

    speed: float
    acceleration: float
    jerk: float

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "speed", "acceleration", "jerk")

    def reachable_speed(self, period_s: float) -> float:
        """The largest velocity to ask for, so that the sampled jerk does not carry the speed past its limit.

        An even clock needs a quarter of the margin; the rest is for periods that vary by a fifth.
        """
        if self.jerk * period_s >= self.acceleration:
            return self.speed
        return max(0.5 * self.speed, self.speed - 0.5 * self.jerk * period_s**2)


class Rates(NamedTuple):
    """Velocity of the newest command, and the acceleration that led to it."""

    velocity: Vector
    acceleration: Vector


def at_rest(size: int) -> Rates:
    """Rates of a command that stands still."""
    return Rates((0.0,) * size, (0.0,) * size)


AT_REST = at_rest(3)


def approach(rates: Rates, wanted: Vector, limits: RateLimits, period_s: float) -> Rates:
    """Rates one period later, on the way to a wanted velocity.

    The acceleration rises and falls by at most the jerk limit. It follows a = (-jT + sqrt((jT)^2 + 8 j e)) / 2, the
    sampled form of the time-optimal law a = sqrt(2 j e), where e is what is missing of the velocity: with it the
    acceleration reaches zero together with e.
    """
    missing = tuple(w - v for w, v in zip(wanted, rates.velocity, strict=True))
    error = math.sqrt(sum(x * x for x in missing))
    step = limits.jerk * period_s
    if error > 0.0:
        size = min(
            error / period_s, limits.acceleration, 0.5 * (math.sqrt(step * step + 8.0 * limits.jerk * error) - step)
        )
        aim = tuple(x * size / error for x in missing)
    else:
        aim = (0.0,) * len(missing)
    change = tuple(x - a for x, a in zip(aim, rates.acceleration, strict=True))
    length = math.sqrt(sum(x * x for x in change))
    if length > step:
        change = tuple(x * step / length for x in change)
    acceleration = tuple(a + x for a, x in zip(rates.acceleration, change, strict=True))
    velocity = tuple(v + a * period_s for v, a in zip(rates.velocity, acceleration, strict=True))
    return Rates(velocity, acceleration)


def speed_to_stop_within(distance: float, speed: float, pull: float, limits: RateLimits, period_s: float) -> float:
    """The largest speed to ask for now, so that the command can still come to rest within a distance.

    Args:
        distance: To the place of rest [m] or [rad].
        speed: Of the newest command towards that place.
        pull: Its acceleration towards that place.
        limits: Kept by the braking too.
        period_s: Time between two commands.
    """
    low, high = 0.0, min(limits.reachable_speed(period_s), max(distance, 0.0) / period_s)
    distance += _ROUNDING
    if _way_to_rest(high, speed, pull, limits, period_s) <= distance:
        return high
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if _way_to_rest(middle, speed, pull, limits, period_s) <= distance:
            low = middle
        else:
            high = middle
    return low


def _way_to_rest(wanted: float, speed: float, pull: float, limits: RateLimits, period_s: float) -> float:
    """The way that one period towards a wanted speed, and the braking after it, take. In one dimension."""
    step, most, way = limits.jerk * period_s, limits.acceleration, 0.0
    for _ in range(_LONGEST_STOP):
        missing = wanted - speed
        size = abs(missing)
        size = min(size / period_s, most, 0.5 * (math.sqrt(step * step + 8.0 * limits.jerk * size) - step))
        change = math.copysign(size, missing) - pull
        pull += min(max(change, -step), step)
        speed += pull * period_s
        way += speed * period_s
        wanted = 0.0
        if speed <= 0.0:
            break
        if step < _FINE * most:
            return way + _smooth_way_to_rest(speed, pull, limits) + speed * period_s
    return way


def _smooth_way_to_rest(speed: float, pull: float, limits: RateLimits) -> float:
    """The same for commands that are so dense that they count as continuous."""
    a, j = limits.acceleration, limits.jerk
    way = 0.0
    if pull > 0.0:  # the acceleration falls to zero first
        way = speed * pull / j + pull**3 / (3.0 * j * j)
        speed += 0.5 * pull * pull / j
        pull = 0.0
    # What is left is the end of a stop that began earlier, from rest in acceleration.
    began = speed + 0.5 * pull * pull / j
    whole = began * math.sqrt(began / j) if began < a * a / j else 0.5 * began * (began / a + a / j)
    time = -pull / j
    return way + whole - (began * time - j * time**3 / 6.0)


def stopping_distance(rates: Rates, limits: RateLimits, period_s: float) -> float:
    """An upper bound of the way that a command still makes while it brakes."""
    speed = math.sqrt(sum(x * x for x in rates.velocity))
    pull = math.sqrt(sum(x * x for x in rates.acceleration))
    a, j = limits.acceleration, limits.jerk
    fastest = speed + pull * (0.5 * pull / j + period_s)
    return fastest * (1.5 * pull / j + 0.75 * (fastest / a + a / j) + 3.0 * period_s)

"""Velocity, acceleration and jerk limits of a sampled command, for vectors of any length.

The limits hold from command to command, as in libfranka's ``limitRate``. Unlike there, the acceleration returns to zero
exactly when the wanted velocity is reached. So a limited command does not overshoot, and the path of braking is known.

All vectors are plain tuples of one to three numbers, for which numpy is slower than Python.
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
_LONGEST_STOP = 50  # commands; a stop of more commands counts as continuous
_FINE = 0.25  # largest change of the acceleration in one period for continuous commands, as a share of its limit

Vector = tuple[float, ...]


@dataclass(frozen=True)
class RateLimits:
    """Largest lengths of the velocity and of its first two derivatives.

    Attributes:
        speed: Largest speed [m/s] or [rad/s].
        acceleration: Largest acceleration [m/s^2] or [rad/s^2].
        jerk: Largest jerk [m/s^3] or [rad/s^3].
    """

    speed: float
    acceleration: float
    jerk: float

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "speed", "acceleration", "jerk")

    def reachable_speed(self, period_s: float) -> float:
        """Return the largest velocity to request, so that the sampled jerk does not carry the speed past its limit.

        A regular clock needs a quarter of the margin; the rest is for periods that vary by a fifth.
        """
        if self.jerk * period_s >= self.acceleration:
            return self.speed
        return max(0.5 * self.speed, self.speed - 0.5 * self.jerk * period_s**2)


class Rates(NamedTuple):
    """Velocity of the newest command, and the acceleration that produced it."""

    velocity: Vector
    acceleration: Vector


def at_rest(size: int) -> Rates:
    """Return the rates of a command at rest."""
    return Rates((0.0,) * size, (0.0,) * size)


AT_REST = at_rest(3)


def approach(rates: Rates, wanted: Vector, limits: RateLimits, period_s: float) -> Rates:
    """Return the rates one period later, towards a wanted velocity.

    The acceleration rises and falls by at most the jerk limit. It follows a = (-jT + sqrt((jT)^2 + 8 j e)) / 2, the
    sampled form of the time-optimal law a = sqrt(2 j e), where e is the remaining change of velocity. With this law the
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
    """Return the largest speed to request now, so that the command can still come to rest within a distance.

    Args:
        distance: Distance to the place of rest [m] or [rad].
        speed: Speed of the newest command towards that place.
        pull: Acceleration of the newest command towards that place.
        limits: Limits, which the braking keeps too.
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
    """Return the distance of one period towards a wanted speed and of the braking after it, in one dimension."""
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
    """Return the same distance for commands so dense that they count as continuous."""
    a, j = limits.acceleration, limits.jerk
    way = 0.0
    if pull > 0.0:  # the acceleration first falls to zero
        way = speed * pull / j + pull**3 / (3.0 * j * j)
        speed += 0.5 * pull * pull / j
        pull = 0.0
    # The remaining motion is the end of a stop that began earlier, at zero acceleration.
    began = speed + 0.5 * pull * pull / j
    whole = began * math.sqrt(began / j) if began < a * a / j else 0.5 * began * (began / a + a / j)
    time = -pull / j
    return way + whole - (began * time - j * time**3 / 6.0)


def stopping_distance(rates: Rates, limits: RateLimits, period_s: float) -> float:
    """Return an upper bound of the braking distance of a command."""
    speed = math.sqrt(sum(x * x for x in rates.velocity))
    pull = math.sqrt(sum(x * x for x in rates.acceleration))
    a, j = limits.acceleration, limits.jerk
    fastest = speed + pull * (0.5 * pull / j + period_s)
    return fastest * (1.5 * pull / j + 0.75 * (fastest / a + a / j) + 3.0 * period_s)

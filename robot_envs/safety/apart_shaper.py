"""Shaper of the commanded poses of two arms that keep a distance.

As with one arm, a step is taken only if the quickest stop after it is allowed: both arms brake together, and their
shapes keep the distance until both are at rest. Otherwise the stop that was checked one step earlier continues. So the
distance holds from command to command, for every sequence of goals.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.safety.apart import KeepApart
from steadyhand.robot_envs.safety.rate_limit import Vector, speed_to_stop_within, stopping_distance
from steadyhand.robot_envs.safety.shaper import Motion, PoseShaper, Velocities, is_still, moved

__all__ = ["ApartShaper"]

_TINY = 1e-9
_ROOM = 0.9  # share of the distance between the arms that is used to plan a velocity
_FINE_M = 0.005  # largest relative motion between two checks within a step
_MOST_STEPS = 2000  # of one stop
_STILL: Velocities = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
Pose = tuple[float, ...]


class ApartShaper:
    """Commanded poses of two tools, limited from command to command, each by its own limits and both by the distance.

    Args:
        arms: Shapers of the two arms. From a smaller distance than allowed, a command leads no nearer.
        apart: Shapes and distances.
    """

    def __init__(self, arms: Sequence[PoseShaper], apart: KeepApart) -> None:
        self._first, self._second = arms
        self._apart = apart

    def step(self, goals: Array, period_s: float) -> Array:
        """Return the commanded poses one period later, towards goals. Shapes (2, 7), base frame."""
        arms = (self._first, self._second)
        wanted = [arm.wanted(goal, period_s) for arm, goal in zip(arms, goals, strict=True)]
        poses = (self._first.row, self._second.row)
        nearest = self._apart.nearest(*poses)
        allowed = min(self._apart.limits.min_distance_m, nearest.gap_m) - _TINY
        for candidate in self._candidates(wanted, nearest.gap_m, nearest.direction, period_s):
            motions = [arm.proposed(one, period_s) for arm, one in zip(arms, candidate, strict=True)]
            if self._keep_apart(poses, motions, nearest.gap_m, allowed, period_s):
                break
        else:
            motions = [arm.braking(arm.motion, period_s) for arm in arms]
        return np.array([arm.take(motion, period_s) for arm, motion in zip(arms, motions, strict=True)])

    def _candidates(
        self, wanted: Sequence[Velocities], gap_m: float, direction: Vector, period_s: float
    ) -> Iterator[tuple[Velocities, Velocities]]:
        """Yield the velocities to try, from the wanted ones to those that lead the arms no nearer."""
        first, second = wanted
        yield first, second
        back = tuple(-x for x in direction)
        closing = [max(_along(first[0], direction), 0.0), max(_along(second[0], back), 0.0)]
        room = _ROOM * max(gap_m - self._apart.limits.min_distance_m, 0.0)
        # Each arm may use the share of the room in which it closes in.
        shares = [speed / sum(closing) if sum(closing) > 0.0 else 0.0 for speed in closing]
        slow_first = self._held_back(self._first, first, direction, room * shares[0], period_s)
        slow_second = self._held_back(self._second, second, back, room * shares[1], period_s)
        yield slow_first, slow_second
        yield (slow_first[0], _STILL[1]), (slow_second[0], _STILL[1])
        yield slow_first, _STILL
        yield _STILL, slow_second
        aside = (_without(first[0], direction), _STILL[1]), (_without(second[0], back), _STILL[1])
        yield aside
        yield aside[0], _STILL
        yield _STILL, aside[1]

    def _held_back(
        self, arm: PoseShaper, wanted: Velocities, direction: Vector, room_m: float, period_s: float
    ) -> Velocities:
        """Return the wanted velocities, with a speed towards the other arm from which it can stop within the room."""
        speed = _along(wanted[0], direction)
        if speed <= 0.0:
            return wanted
        linear = arm.motion.linear
        now, pull = _along(linear.velocity, direction), _along(linear.acceleration, direction)
        excess = speed - speed_to_stop_within(room_m, now, pull, arm.linear, period_s)
        if excess <= 0.0:
            return wanted
        return tuple(v - excess * d for v, d in zip(wanted[0], direction, strict=True)), wanted[1]

    def _keep_apart(
        self, poses: tuple[Pose, Pose], motions: Sequence[Motion], gap_m: float, allowed_m: float, period_s: float
    ) -> bool:
        """Return whether the step and the quickest stop of both arms after it keep the allowed distance."""
        arms, radius = (self._first, self._second), self._apart.radius_m
        # Upper bound of the way of the shapes until both arms are at rest, which needs no simulation.
        way = 0.0
        for arm, motion in zip(arms, motions, strict=True):
            way += stopping_distance(motion.linear, arm.linear, period_s)
            way += radius * stopping_distance(motion.angular, arm.angular, period_s)
        if gap_m - way > allowed_m:
            return True
        first, second = poses
        one, other = motions
        for _ in range(_MOST_STEPS):
            travel = (_speed(one, radius) + _speed(other, radius)) * period_s
            checks = max(1, math.ceil(travel / _FINE_M))
            for index in range(1, checks + 1):
                share_s = period_s * index / checks
                if self._apart.nearest(moved(first, one, share_s), moved(second, other, share_s)).gap_m < allowed_m:
                    return False
            first, second = moved(first, one, period_s), moved(second, other, period_s)
            if is_still(one) and is_still(other):
                return True
            one, other = self._first.braking(one, period_s), self._second.braking(other, period_s)
        return False


def _speed(motion: Motion, radius_m: float) -> float:
    return math.hypot(*motion.linear.velocity) + radius_m * math.hypot(*motion.angular.velocity)


def _along(vector: Vector, direction: Vector) -> float:
    return vector[0] * direction[0] + vector[1] * direction[1] + vector[2] * direction[2]


def _without(vector: Vector, direction: Vector) -> Vector:
    """Return a velocity without its part towards the other arm."""
    speed = max(_along(vector, direction), 0.0)
    return tuple(v - speed * d for v, d in zip(vector, direction, strict=True))

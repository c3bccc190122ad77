"""Shapers of a commanded pose or twist; the safety gate and the watchdog use them for every command.

A step is taken only if the quickest stop after it keeps the region and the speed limits. Otherwise the stop that was
checked one step earlier continues. So the limits hold from command to command, at any command rate and in reversals.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from steadyhand.robot_envs.frames import Array, quat_inverse, quat_multiply, rotvec_from_quat
from steadyhand.robot_envs.safety.rate_limit import (
    AT_REST,
    RateLimits,
    Rates,
    Vector,
    approach,
    speed_to_stop_within,
    stopping_distance,
)
from steadyhand.robot_envs.safety.region import Excess, Region

__all__ = ["AT_REST_MOTION", "Motion", "PoseShaper", "TwistShaper", "Velocities", "is_still", "moved"]

_TINY = 1e-9
_STILL = 1e-7  # m/s, rad/s
_STOP = (0.0, 0.0, 0.0)
_ROOM = 0.9  # share of the distance to a wall that is used to plan a velocity
_MOST_STEPS = 2000  # of one stop; 2 s at 1 kHz
# Shares of the wanted linear and angular velocity that are tried in turn, before braking.
_SHARES = ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.5, 0.5), (0.2, 0.2))
Quat = tuple[float, float, float, float]
Velocities = tuple[Vector, Vector]  # linear [m/s] and angular [rad/s], base frame


class Motion(NamedTuple):
    """Rates of a command: linear [m/s], [m/s^2] and angular [rad/s], [rad/s^2], both in the base frame."""

    linear: Rates
    angular: Rates


AT_REST_MOTION = Motion(AT_REST, AT_REST)


class _Envelope:
    """The limits of one tool, and the selection of a step that keeps them."""

    def __init__(self, linear: RateLimits, angular: RateLimits, region: Region) -> None:
        self.linear, self.angular, self.region = linear, angular, region

    def next(self, position: Vector, quat: Quat, motion: Motion, wanted: Velocities, period_s: float) -> Motion:
        """Return the rates of the next command, as near to the wanted velocities as the limits allow."""
        now = self.region.excess(position, quat)
        for linear_share, angular_share in _SHARES:
            candidate = Motion(
                approach(motion.linear, _scaled(wanted[0], linear_share), self.linear, period_s),
                approach(motion.angular, _scaled(wanted[1], angular_share), self.angular, period_s),
            )
            if self._can_stop(position, quat, candidate, now, period_s):
                return candidate
        return self.brake(motion, period_s)

    def brake(self, motion: Motion, period_s: float) -> Motion:
        """Return the rates of the next command of the quickest stop."""
        return Motion(
            approach(motion.linear, _STOP, self.linear, period_s),
            approach(motion.angular, _STOP, self.angular, period_s),
        )

    def held_back(self, position: Vector, quat: Quat, wanted: Vector, rates: Rates, period_s: float) -> Vector:
        """Return the wanted velocity [m/s], reduced axis by axis so that it does not lead out of the box."""
        low, high = self.region.bounds(quat)
        found = []
        for axis, velocity in enumerate(wanted):
            sign = math.copysign(1.0, velocity)
            room = high[axis] - position[axis] if velocity > 0.0 else position[axis] - low[axis]
            speed, pull = sign * rates.velocity[axis], sign * rates.acceleration[axis]
            most = speed_to_stop_within(_ROOM * max(room, 0.0), speed, pull, self.linear, period_s)
            found.append(sign * min(abs(velocity), most))
        return tuple(found)

    def _can_stop(self, position: Vector, quat: Quat, motion: Motion, now: Excess, period_s: float) -> bool:
        """Return whether the step and the quickest stop after it keep the speed limits and lead no farther out."""
        if self._is_far_inside(motion, now, period_s):
            return True
        allowed = (max(now[0], 0.0) + _TINY, max(now[1], 0.0) + _TINY)
        linear, angular = motion
        for _ in range(_MOST_STEPS):
            if _length(linear.velocity) > self.linear.speed + _TINY:
                return False
            if _length(angular.velocity) > self.angular.speed + _TINY:
                return False
            position, quat = _moved(position, quat, Motion(linear, angular), period_s)
            outside, tilted = self.region.excess(position, quat)
            if outside > allowed[0] or tilted > allowed[1]:
                return False
            if is_still(Motion(linear, angular)):
                return True
            linear = approach(linear, _STOP, self.linear, period_s)
            angular = approach(angular, _STOP, self.angular, period_s)
        return False

    def _is_far_inside(self, motion: Motion, now: Excess, period_s: float) -> bool:
        """Return whether upper bounds of the stop's distance and speed are within the limits, without simulating it."""
        for rates, limits in ((motion.linear, self.linear), (motion.angular, self.angular)):
            pull = _length(rates.acceleration)
            if _length(rates.velocity) + pull * (0.5 * pull / limits.jerk + period_s) > limits.speed:
                return False
        way = stopping_distance(motion.linear, self.linear, period_s)
        turn = stopping_distance(motion.angular, self.angular, period_s)
        return now[0] + way + self.region.radius_m * turn < 0.0 and now[1] + turn < 0.0


class PoseShaper:
    """Commanded pose of one tool, limited from command to command.

    Args:
        linear: Limits of the tool centre point's velocity.
        angular: Limits of the tool's angular velocity.
        region: Region of every pose, and of the stop from it. From outside, a command leads no farther out.
    """

    def __init__(self, linear: RateLimits, angular: RateLimits, region: Region) -> None:
        self._envelope = _Envelope(linear, angular, region)
        self._position: Vector = (0.0, 0.0, 0.0)
        self._quat: Quat = (0.0, 0.0, 0.0, 1.0)
        self.motion = AT_REST_MOTION

    def begin(self, pose: Array) -> None:
        """Start at rest from a pose in the base frame. Shape (7,)."""
        values = pose.tolist()
        self._position, self._quat, self.motion = tuple(values[:3]), tuple(values[3:]), AT_REST_MOTION

    @property
    def pose(self) -> Array:
        """Newest commanded pose, base frame. Shape (7,)."""
        return np.array([*self._position, *self._quat])

    @property
    def row(self) -> tuple[float, ...]:
        """Newest commanded pose as plain numbers, base frame. Shape (7,)."""
        return *self._position, *self._quat

    @property
    def linear(self) -> RateLimits:
        """Limits of the tool centre point's velocity."""
        return self._envelope.linear

    @property
    def angular(self) -> RateLimits:
        """Limits of the tool's angular velocity."""
        return self._envelope.angular

    def step(self, goal: Array, period_s: float) -> Array:
        """Return the commanded pose one period later, towards a goal. Shapes (7,), base frame."""
        return self.take(self.proposed(self.wanted(goal, period_s), period_s), period_s)

    def wanted(self, goal: Array, period_s: float) -> Velocities:
        """Return the velocities to request, so that the command comes to rest at a goal. Shape (7,), base frame."""
        envelope = self._envelope
        way = tuple(g - p for g, p in zip(goal[:3].tolist(), self._position, strict=True))
        turn = tuple(rotvec_from_quat(quat_multiply(goal[3:], quat_inverse(np.array(self._quat)))).tolist())
        return (
            _towards(way, self.motion.linear, envelope.linear, period_s),
            _towards(turn, self.motion.angular, envelope.angular, period_s),
        )

    def proposed(self, wanted: Velocities, period_s: float) -> Motion:
        """Return the rates of a next command that keeps the limits, as near to the wanted velocities as they allow."""
        return self._envelope.next(self._position, self._quat, self.motion, wanted, period_s)

    def braking(self, motion: Motion, period_s: float) -> Motion:
        """Return the rates after `motion` in the quickest stop."""
        return self._envelope.brake(motion, period_s)

    def take(self, motion: Motion, period_s: float) -> Array:
        """Command the pose after one period of these rates, and return it. Shape (7,), base frame."""
        self.motion = motion
        self._position, self._quat = _moved(self._position, self._quat, motion, period_s)
        return self.pose

    def brake(self, period_s: float) -> Array:
        """Return the commanded pose one period later, during the quickest stop. Shape (7,), base frame."""
        return self.take(self.braking(self.motion, period_s), period_s)


class TwistShaper:
    """Commanded twist of one tool, limited from command to command; the tool's pose is the measured one.

    The arguments are those of `PoseShaper`.
    """

    def __init__(self, linear: RateLimits, angular: RateLimits, region: Region) -> None:
        self._envelope = _Envelope(linear, angular, region)
        self.motion = AT_REST_MOTION

    def begin(self) -> None:
        """Start at rest."""
        self.motion = AT_REST_MOTION

    def step(self, wanted: Array, measured: Array, period_s: float) -> Array:
        """Return the twist one period later, towards a wanted one.

        Args:
            wanted: Wanted twist, linear then angular, base frame. Shape (6,); [m/s], [rad/s].
            measured: Pose of the tool, base frame. Shape (7,).
            period_s: Time since the last twist.
        """
        envelope, values = self._envelope, measured.tolist()
        position, quat = tuple(values[:3]), tuple(values[3:])
        linear = _shortened(tuple(wanted[:3].tolist()), envelope.linear.reachable_speed(period_s))
        angular = _shortened(tuple(wanted[3:].tolist()), envelope.angular.reachable_speed(period_s))
        linear = envelope.held_back(position, quat, linear, self.motion.linear, period_s)
        self.motion = envelope.next(position, quat, self.motion, (linear, angular), period_s)
        return np.array([*self.motion.linear.velocity, *self.motion.angular.velocity])


def moved(pose: tuple[float, ...], motion: Motion, period_s: float) -> tuple[float, ...]:
    """Return a pose (7,) after a time at these rates, base frame."""
    x, y, z, *quat = pose
    position, turned = _moved((x, y, z), (quat[0], quat[1], quat[2], quat[3]), motion, period_s)
    return *position, *turned


def is_still(motion: Motion) -> bool:
    """Return whether a command of these rates is at rest."""
    return _length(motion.linear.velocity) < _STILL and _length(motion.angular.velocity) < _STILL


def _towards(way: Vector, rates: Rates, limits: RateLimits, period_s: float) -> Vector:
    """Return the velocity to request, so that the command comes to rest at the end of the distance."""
    distance = _length(way)
    if distance < 1e-12:
        return (0.0, 0.0, 0.0)
    direction = _scaled(way, 1.0 / distance)
    speed, pull = _along(rates.velocity, direction), _along(rates.acceleration, direction)
    return _scaled(direction, speed_to_stop_within(distance, speed, pull, limits, period_s))


def _moved(position: Vector, quat: Quat, motion: Motion, period_s: float) -> tuple[Vector, Quat]:
    velocity, turning = motion.linear.velocity, motion.angular.velocity
    position = tuple(p + v * period_s for p, v in zip(position, velocity, strict=True))
    wx, wy, wz = turning
    rate = math.sqrt(wx * wx + wy * wy + wz * wz)
    if rate == 0.0:
        return position, quat
    half = 0.5 * rate * period_s
    scale = math.sin(half) / rate
    ax, ay, az, aw = wx * scale, wy * scale, wz * scale, math.cos(half)
    bx, by, bz, bw = quat
    x = aw * bx + ax * bw + ay * bz - az * by
    y = aw * by - ax * bz + ay * bw + az * bx
    z = aw * bz + ax * by - ay * bx + az * bw
    w = aw * bw - ax * bx - ay * by - az * bz
    size = 1.0 / math.sqrt(x * x + y * y + z * z + w * w)
    return position, (x * size, y * size, z * size, w * size)


def _length(vector: Vector) -> float:
    x, y, z = vector
    return math.sqrt(x * x + y * y + z * z)


def _along(vector: Vector, direction: Vector) -> float:
    return vector[0] * direction[0] + vector[1] * direction[1] + vector[2] * direction[2]


def _scaled(vector: Vector, share: float) -> Vector:
    x, y, z = vector
    return x * share, y * share, z * share


def _shortened(vector: Vector, longest: float) -> Vector:
    length = _length(vector)
    return vector if length <= longest else _scaled(vector, longest / length)

"""A motion from one joint position to another within limits of velocity, acceleration and jerk, without ROS."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.safety.rate_limit import RateLimits

__all__ = ["JointMotion", "plan_joint_motion"]

# Peaks of the polynomial 10 s^3 - 15 s^4 + 6 s^5 over a distance of 1 in a time of 1, from rest to rest.
_PEAK_VELOCITY, _PEAK_ACCELERATION, _PEAK_JERK = 15.0 / 8.0, 10.0 / math.sqrt(3.0), 60.0


@dataclass(frozen=True)
class JointMotion:
    """Points of a motion, the last one at rest at the goal.

    Attributes:
        time_s: Time since the start, above 0 and rising. Shape (n,).
        position: Joint positions. Shape (n, n_joints); [rad].
        velocity: Joint velocities. Shape (n, n_joints); [rad/s].
        acceleration: Joint accelerations. Shape (n, n_joints); [rad/s^2].
    """

    time_s: Array
    position: Array
    velocity: Array
    acceleration: Array

    @property
    def duration_s(self) -> float:
        """Duration of the motion [s]."""
        return float(self.time_s[-1])


def plan_joint_motion(start: Array, goal: Array, limits: RateLimits, period_s: float) -> JointMotion:
    """Plan a straight motion in joint space, from rest to rest, in which all joints start and end together.

    Args:
        start: Joint positions at the start. Shape (n_joints,); [rad].
        goal: Joint positions at the end. Shape (n_joints,); [rad].
        limits: Limits of every joint [rad/s], [rad/s^2], [rad/s^3].
        period_s: Largest time between two points.
    """
    way = goal - start
    longest = float(np.abs(way).max())
    duration = max(
        _PEAK_VELOCITY * longest / limits.speed,
        math.sqrt(_PEAK_ACCELERATION * longest / limits.acceleration),
        (_PEAK_JERK * longest / limits.jerk) ** (1.0 / 3.0),
        period_s,
    )
    share = np.linspace(0.0, 1.0, math.ceil(duration / period_s - 1e-9) + 1)[1:]
    s = share[:, None]
    velocity = way * 30.0 * s**2 * (1.0 - s) ** 2 / duration
    acceleration = way * 60.0 * s * (1.0 - 3.0 * s + 2.0 * s**2) / duration**2
    position = start + way * s**3 * (10.0 - 15.0 * s + 6.0 * s**2)
    velocity[-1], acceleration[-1], position[-1] = 0.0, 0.0, goal
    return JointMotion(share * duration, position, velocity, acceleration)

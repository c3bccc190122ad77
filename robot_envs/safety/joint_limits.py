"""Limits of an arm's joints: range, speed, and configurations in which the arm loses a direction of motion."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.safety.rate_limit import RateLimits, Rates, approach, at_rest, speed_to_stop_within

__all__ = ["JointLimits", "JointShaper", "Singularity", "joint_objection"]

_MOST_RAD = 20.0  # about three turns: a larger number is in degrees
_MOVING_RAD_S = 0.02  # below this a joint counts as at rest


@dataclass(frozen=True)
class Singularity:
    """A joint angle at which the arm loses a direction of motion, such as a straight elbow.

    Attributes:
        joint: Index of the joint, from 0.
        at_rad: Angle of the singularity.
        margin_rad: Distance within which the joint may not move towards the angle.
    """

    joint: int
    at_rad: float
    margin_rad: float

    def __post_init__(self) -> None:
        if self.joint < 0 or not 0.0 < self.margin_rad < math.pi or not abs(self.at_rad) <= _MOST_RAD:
            raise ValueError(
                f"expected a joint from 0, at_rad within {_MOST_RAD} rad and a margin_rad in (0, pi), "
                f"found {self.joint}, {self.at_rad} and {self.margin_rad}"
            )


@dataclass(frozen=True)
class JointLimits:
    """Limits of every joint, in the order of the robot's joints.

    Attributes:
        low_rad: Lower end of the range. Shape (n_joints,).
        high_rad: Upper end. Shape (n_joints,).
        margin_rad: Distance from an end within which a joint may not move towards that end.
        singularities: Configurations to avoid.
        max_speed_rad_s: Largest speed of a commanded joint, where the controller takes joint positions.
        max_acceleration_rad_s2: Largest acceleration of a commanded joint.
        max_jerk_rad_s3: Largest jerk of a commanded joint.
    """

    low_rad: tuple[float, ...]
    high_rad: tuple[float, ...]
    margin_rad: float
    singularities: tuple[Singularity, ...]
    max_speed_rad_s: float
    max_acceleration_rad_s2: float
    max_jerk_rad_s3: float

    def __post_init__(self) -> None:
        if not self.low_rad or len(self.low_rad) != len(self.high_rad):
            raise ValueError(
                f"low_rad and high_rad: expected a number for every joint, found {len(self.low_rad)} and "
                f"{len(self.high_rad)}"
            )
        if not all(abs(end) <= _MOST_RAD for end in (*self.low_rad, *self.high_rad)):
            raise ValueError(
                f"low_rad and high_rad: expected angles within {_MOST_RAD} rad, found {self.low_rad}, {self.high_rad}"
            )
        if not 0.0 <= self.margin_rad < math.pi:
            raise ValueError(f"margin_rad: expected an angle from 0 to pi, found {self.margin_rad}")
        if not all(h - low > 2.0 * self.margin_rad for low, h in zip(self.low_rad, self.high_rad, strict=True)):
            raise ValueError(
                f"expected low_rad < high_rad by more than two margins, found {self.low_rad}, {self.high_rad}"
            )
        if any(singularity.joint >= len(self.low_rad) for singularity in self.singularities):
            raise ValueError(f"singularities: expected joints below {len(self.low_rad)}, found a larger one")
        _ = self.rates

    @property
    def rates(self) -> RateLimits:
        """Rate limits of a commanded joint."""
        return RateLimits(self.max_speed_rad_s, self.max_acceleration_rad_s2, self.max_jerk_rad_s3)


def joint_objection(position: Array, velocity: Array, limits: JointLimits) -> str:
    """Return the joint that moves, within its margin, towards an end of its range or a singularity; "" for none.

    A joint that moves away or is at rest is no objection, so that the operator can lead the arm out.

    Args:
        position: Joint positions of one arm. Shape (n_joints,); [rad].
        velocity: Joint velocities. Shape (n_joints,); [rad/s].
        limits: Limits of these joints.
    """
    rows = zip(position.tolist(), velocity.tolist(), limits.low_rad, limits.high_rad, strict=True)
    for index, (at, speed, low, high) in enumerate(rows):
        if (at < low + limits.margin_rad and speed < -_MOVING_RAD_S) or (
            at > high - limits.margin_rad and speed > _MOVING_RAD_S
        ):
            return f"joint {index + 1} at {at:.2f} rad, range {low:.2f} to {high:.2f}"
    for singularity in limits.singularities:
        at, speed = float(position[singularity.joint]), float(velocity[singularity.joint])
        away = math.remainder(at - singularity.at_rad, 2.0 * math.pi)
        if abs(away) < singularity.margin_rad and speed * away < 0.0 and abs(speed) > _MOVING_RAD_S:
            return f"joint {singularity.joint + 1} at {at:.2f} rad, singular at {singularity.at_rad:.2f}"
    return ""


class JointShaper:
    """Shaper of joint positions: each is limited from command to command and kept in its range."""

    def __init__(self, limits: JointLimits) -> None:
        self._limits = limits
        self._low = [low + limits.margin_rad for low in limits.low_rad]
        self._high = [high - limits.margin_rad for high in limits.high_rad]
        self._position = [0.0] * len(self._low)
        self._rates: list[Rates] = [at_rest(1)] * len(self._low)

    def begin(self, position: Array) -> None:
        """Start at rest at a position. Shape (n_joints,); [rad]."""
        self._position, self._rates = position.tolist(), [at_rest(1)] * len(self._low)

    @property
    def position(self) -> Array:
        """Newest commanded position. Shape (n_joints,); [rad]."""
        return np.array(self._position)

    def step(self, goal: Array, period_s: float) -> Array:
        """Return the commanded position one period later, towards a goal. Shapes (n_joints,); [rad]."""
        limits = self._limits.rates
        for joint, wanted in enumerate(goal.tolist()):
            at, rates = self._position[joint], self._rates[joint]
            way = min(max(wanted, self._low[joint]), self._high[joint]) - at
            sign = math.copysign(1.0, way)
            speed = speed_to_stop_within(
                abs(way), sign * rates.velocity[0], sign * rates.acceleration[0], limits, period_s
            )
            self._rates[joint] = approach(rates, (sign * speed,), limits, period_s)
            self._position[joint] = at + self._rates[joint].velocity[0] * period_s
        return self.position

    def brake(self, period_s: float) -> Array:
        """Return the commanded position one period later, during the quickest stop. Shape (n_joints,); [rad]."""
        for joint, rates in enumerate(self._rates):
            self._rates[joint] = approach(rates, (0.0,), self._limits.rates, period_s)
            self._position[joint] += self._rates[joint].velocity[0] * period_s
        return self.position

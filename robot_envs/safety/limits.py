"""The safety limits of a cell, and the pure functions that enforce them. All arrays are over arms."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from steadyhand.robot_envs.frames import Array, length, quat_from_rotvec, quat_inverse, quat_multiply, rotvec_from_quat
from steadyhand.robot_envs.safety.apart import ApartLimits
from steadyhand.robot_envs.safety.arm_limits import ArmLimits, boxes_overlap
from steadyhand.robot_envs.safety.camera_watch import CameraLimits
from steadyhand.robot_envs.safety.joint_limits import JointLimits
from steadyhand.robot_envs.safety.motion_watch import MotionLimits
from steadyhand.robot_envs.safety.plausibility import PlausibleMotion
from steadyhand.robot_envs.safety.rate_limit import RateLimits
from steadyhand.robot_envs.safety.region import Extent, Region
from steadyhand.robot_envs.safety.tare import TareLimits
from steadyhand.runtime.ranges import expect


@dataclass(frozen=True)
class SafetyLimits:
    """Limits of one cell.

    Attributes:
        workspace_low_m: Lower corner of the box that the TCP must stay in, base frame. Shape (3,).
        workspace_high_m: Upper corner. Shape (3,).
        nominal_quat: Orientation from which ``max_tilt_rad`` is measured, xyzw, base frame. Shape (4,).
        max_tilt_rad: Largest angle between a commanded orientation and the nominal one.
        max_tcp_speed_m_s: Largest speed of the commanded position, from command to command. Times one control period,
            it also bounds the distance from the measured to the commanded position.
        max_tcp_acceleration_m_s2: Largest acceleration of the commanded position.
        max_tcp_jerk_m_s3: Largest jerk of the commanded position.
        max_tcp_angular_speed_rad_s: Largest angular speed of the commanded orientation.
        max_tcp_angular_acceleration_rad_s2: Largest angular acceleration of the commanded orientation.
        max_tcp_angular_jerk_rad_s3: Largest angular jerk of the commanded orientation.
        max_force_n: Measured force beyond which the robot is stopped.
        max_torque_nm: Measured torque beyond which the robot is stopped.
        max_state_age_s: Age beyond which a robot state is stale.
        extent: Box around the tool and the part that it holds; all of it stays inside the workspace.
        plausible: The fastest plausible motion of a measured pose.
        tare: Limits within which a wrench may be tared.
        joints: Limits of the robot's joints; null = unknown.
        cameras: Limits beyond which a camera counts as stale or frozen; null = never.
        motion: Limits beyond which an arm counts as not moving; null = never.
        park_position_m: Position of the TCP during the operator's break, base frame, oriented as ``nominal_quat``.
            Shape (3,); null = the start of the newest episode.
        arms: Limits of each arm of a robot with several, by name and in the order of the arms; null = one arm.
        apart: Distance that two arms keep; null = their boxes do not overlap.
    """

    workspace_low_m: tuple[float, ...]
    workspace_high_m: tuple[float, ...]
    nominal_quat: tuple[float, ...]
    max_tilt_rad: float
    max_tcp_speed_m_s: float
    max_tcp_acceleration_m_s2: float
    max_tcp_jerk_m_s3: float
    max_tcp_angular_speed_rad_s: float
    max_tcp_angular_acceleration_rad_s2: float
    max_tcp_angular_jerk_rad_s3: float
    max_force_n: float
    max_torque_nm: float
    max_state_age_s: float
    extent: Extent
    plausible: PlausibleMotion
    tare: TareLimits
    joints: JointLimits | None = None
    cameras: CameraLimits | None = None
    motion: MotionLimits | None = None
    park_position_m: tuple[float, ...] | None = None
    arms: dict[str, ArmLimits] | None = None
    apart: ApartLimits | None = None

    def __post_init__(self) -> None:
        if len(self.workspace_low_m) != 3 or len(self.workspace_high_m) != 3:
            raise ValueError("workspace_low_m and workspace_high_m: expected three numbers each, x y z in metres")
        if not all(low < high for low, high in zip(self.workspace_low_m, self.workspace_high_m, strict=True)):
            raise ValueError(
                f"workspace: expected low < high, found {self.workspace_low_m} and {self.workspace_high_m}"
            )
        if self.park_position_m is not None and not (
            len(self.park_position_m) == 3
            and all(
                low <= at <= high
                for low, at, high in zip(self.workspace_low_m, self.park_position_m, self.workspace_high_m, strict=True)
            )
        ):
            raise ValueError(
                f"park_position_m: expected null or a position inside the workspace, found {self.park_position_m}"
            )
        if len(self.nominal_quat) != 4 or abs(float(np.linalg.norm(self.nominal_quat)) - 1.0) > 1e-3:
            raise ValueError(f"nominal_quat: expected a unit quaternion xyzw, found {self.nominal_quat}")
        for name in (
            "max_tilt_rad",
            "max_tcp_speed_m_s",
            "max_tcp_acceleration_m_s2",
            "max_tcp_jerk_m_s3",
            "max_tcp_angular_speed_rad_s",
            "max_tcp_angular_acceleration_rad_s2",
            "max_tcp_angular_jerk_rad_s3",
            "max_force_n",
            "max_torque_nm",
            "max_state_age_s",
        ):
            value = getattr(self, name)
            expect(0.0 < value < math.inf, name, "a finite number above 0", value)
        expect(self.max_tilt_rad <= math.pi, "max_tilt_rad", "at most pi", self.max_tilt_rad)
        self._check_arms()

    def _check_arms(self) -> None:
        arms = self.arms or {}
        if self.arms is not None and self.park_position_m is not None:
            raise ValueError("park_position_m: expected null for several arms, found one place; give arms.<name>")
        if self.apart is not None and len(arms) != 2:
            raise ValueError(f"apart: expected limits of two arms in arms, found {len(arms)}; give safety=pair")
        _ = self.each_arm
        for (name, one), (other_name, other) in combinations(arms.items(), 2):
            if self.apart is None and boxes_overlap(one, other):
                raise ValueError(
                    f"arms: expected boxes that do not overlap, or the rule that keeps the arms apart, found that of "
                    f"{name} in that of {other_name} and apart: null; separate the boxes, or give safety.apart"
                )

    @cached_property
    def each_arm(self) -> tuple[SafetyLimits, ...]:
        """The limits of every arm, in the order of the arms."""
        if self.arms is None:
            return (self,)
        found = []
        for name, arm in self.arms.items():
            try:
                found.append(replace(self, arms=None, apart=None, **arm.given))
            except ValueError as error:
                raise ValueError(f"arms.{name}: {error}") from None
        return tuple(found)

    def for_arms(self, n_arms: int) -> tuple[SafetyLimits, ...]:
        """Return the limits of `n_arms` arms: each arm's own, or without `arms` the same for all."""
        return self.each_arm if self.arms is not None else self.each_arm * n_arms

    @cached_property
    def region(self) -> Region:
        """Region in which the tool and its part must stay."""
        return Region(self.workspace_low_m, self.workspace_high_m, self.nominal_quat, self.max_tilt_rad, self.extent)

    @cached_property
    def linear(self) -> RateLimits:
        """Rate limits of the commanded position."""
        return RateLimits(self.max_tcp_speed_m_s, self.max_tcp_acceleration_m_s2, self.max_tcp_jerk_m_s3)

    @cached_property
    def angular(self) -> RateLimits:
        """Rate limits of the commanded orientation."""
        return RateLimits(
            self.max_tcp_angular_speed_rad_s,
            self.max_tcp_angular_acceleration_rad_s2,
            self.max_tcp_angular_jerk_rad_s3,
        )


def clip_to_workspace(position: Array, quat: Array, limits: SafetyLimits) -> Array:
    """Return the nearest position at which the whole tool is inside the box. Shapes (n_arms, 3) [m] and (n_arms, 4)."""
    return limits.region.clip(position, quat)


def clip_tilt(quat: Array, limits: SafetyLimits) -> Array:
    """Return the nearest orientation within ``max_tilt_rad`` of the nominal one. Shape (n_arms, 4)."""
    nominal = np.broadcast_to(np.asarray(limits.nominal_quat, dtype=np.float64), quat.shape)
    away = rotvec_from_quat(quat_multiply(quat_inverse(nominal), quat))
    return quat_multiply(nominal, quat_from_rotvec(clip_length(away, limits.max_tilt_rad)))


def clip_length(vector: Array, longest: float) -> Array:
    """Shorten a vector to at most ``longest``, keeping its direction. Shape (..., 3)."""
    share = np.minimum(1.0, longest / np.maximum(length(vector), 1e-12))
    shortened: Array = vector * share[..., None]
    return shortened


def clip_step(measured: Array, target: Array, limits: SafetyLimits, period_s: float) -> Array:
    """Limit the distance from the measured pose to a target to the speed limits over one period. Shapes (n_arms, 7)."""
    step = clip_length(target[:, :3] - measured[:, :3], limits.max_tcp_speed_m_s * period_s)
    turn = rotvec_from_quat(quat_multiply(quat_inverse(measured[:, 3:]), target[:, 3:]))
    turn = clip_length(turn, limits.max_tcp_angular_speed_rad_s * period_s)
    quat = quat_multiply(measured[:, 3:], quat_from_rotvec(turn))
    return np.concatenate([measured[:, :3] + step, quat], axis=1)

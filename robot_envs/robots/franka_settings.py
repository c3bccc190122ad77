"""Settings of a Franka arm over FCI; the numbers are in configs/robot/franka_fci.yaml. Needs no franky."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from steadyhand.robot_envs.safety.gripper_limits import GripperLimits
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.robot_envs.safety.rate_limit import RateLimits
from steadyhand.robot_envs.safety.watchdog_settings import WatchdogSettings
from steadyhand.runtime.ranges import expect, expect_above, expect_at_least, expect_length

__all__ = [
    "CartesianGains",
    "CollisionConfig",
    "FrankaConfig",
    "HandConfig",
    "ImpedanceConfig",
    "JointHomingConfig",
    "LoadConfig",
]

N_JOINTS = 7


@dataclass(frozen=True)
class CartesianGains:
    """Gains of the Cartesian impedance controller, equal along and about all axes."""

    stiffness_n_m: float
    damping_ns_m: float
    rotation_stiffness_nm_rad: float
    rotation_damping_nms_rad: float

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "stiffness_n_m", "damping_ns_m")
        expect_above(self, 0.0, "rotation_stiffness_nm_rad", "rotation_damping_nms_rad")


@dataclass(frozen=True)
class ImpedanceConfig:
    """The impedance controller, which runs in libfranka's thread at 1 kHz.

    Attributes:
        compliance: Gains for the policy.
        precision: Gains for resets.
        reference_limit_m: Largest position error that the springs see, per axis. Times the stiffness, it bounds the
            contact force.
        reference_limit_rad: The same for the orientation.
        posture_stiffness_nm_rad: Stiffness of the joints within the null space, which holds the elbow.
        max_torque_step_nm: Largest change of a joint's torque in one cycle of 1 ms.
    """

    compliance: CartesianGains
    precision: CartesianGains
    reference_limit_m: float
    reference_limit_rad: float
    posture_stiffness_nm_rad: float
    max_torque_step_nm: float

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "reference_limit_m", "reference_limit_rad", "max_torque_step_nm")
        expect_at_least(self, 0.0, "posture_stiffness_nm_rad")


@dataclass(frozen=True)
class CollisionConfig:
    """Thresholds of the robot's own collision detection.

    Attributes:
        contact_torque_nm: Torque of each joint above which a contact is reported. Shape (7,).
        reflex_torque_nm: Torque of each joint above which the robot stops by a reflex. Shape (7,).
        contact_wrench: Force then torque on the tool above which a contact is reported. Shape (6,); [N], [Nm].
        reflex_wrench: Force then torque on the tool above which the robot stops by a reflex. Shape (6,); [N], [Nm].
    """

    contact_torque_nm: tuple[float, ...]
    reflex_torque_nm: tuple[float, ...]
    contact_wrench: tuple[float, ...]
    reflex_wrench: tuple[float, ...]

    def __post_init__(self) -> None:
        expect_length(self, N_JOINTS, "contact_torque_nm", "reflex_torque_nm")
        expect_length(self, 6, "contact_wrench", "reflex_wrench")
        expect_above(self, 0.0, "contact_torque_nm", "reflex_torque_nm", "contact_wrench", "reflex_wrench")


@dataclass(frozen=True)
class LoadConfig:
    """Payload beyond the end effector that Desk knows, such as a held part.

    Attributes:
        mass_kg: Its mass.
        centre_m: Its centre of mass in the flange frame. Shape (3,).
        inertia_kg_m2: Its inertia about the centre of mass, column by column. Shape (9,).
    """

    mass_kg: float
    centre_m: tuple[float, ...]
    inertia_kg_m2: tuple[float, ...]

    def __post_init__(self) -> None:
        expect_at_least(self, 0.0, "mass_kg")
        expect_length(self, 3, "centre_m")
        expect_length(self, 9, "inertia_kg_m2")


@dataclass(frozen=True)
class HandConfig:
    """The Franka Hand.

    Attributes:
        open_m: Largest opening.
        force_n: Force of a closing hand.
        max_age_s: Age of its newest state beyond which it counts as silent.
        limits: Speed and rate of its commands.
    """

    open_m: float
    force_n: float
    max_age_s: float
    limits: GripperLimits

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "open_m", "force_n", "max_age_s")


@dataclass(frozen=True)
class JointHomingConfig:
    """A joint-space motion at the start of a reset.

    Attributes:
        position_rad: Goal of the joints. Shape (7,).
        max_velocity_rad_s: Largest velocity of every joint.
        max_acceleration_rad_s2: Largest acceleration of every joint.
        max_jerk_rad_s3: Largest jerk of every joint.
        tolerance_rad: Largest distance of every joint at which the arm counts as at home.
        every_episodes: Number of episodes from one homing to the next.
    """

    position_rad: tuple[float, ...]
    max_velocity_rad_s: float
    max_acceleration_rad_s2: float
    max_jerk_rad_s3: float
    tolerance_rad: float
    every_episodes: int

    def __post_init__(self) -> None:
        expect_length(self, N_JOINTS, "position_rad")
        _ = self.rates
        expect_above(self, 0.0, "tolerance_rad", "every_episodes")

    @property
    def rates(self) -> RateLimits:
        """Rate limits of each joint."""
        return RateLimits(self.max_velocity_rad_s, self.max_acceleration_rad_s2, self.max_jerk_rad_s3)


@dataclass(frozen=True)
class FrankaConfig:
    """The `robot` group of a Franka arm over FCI.

    Attributes:
        host: Name or address of the arm's control box.
        realtime: enforce = the control thread gets a real-time priority, or the arm does not move; ignore = it runs
            without one, which suffices for a simulated arm alone.
        recovers_on_resume: True = the first reset after the operator's resume clears a reflex; False = it raises.
        tool_in_nominal: Tool centre point in the nominal end-effector frame of Desk: [m] and xyzw. Shape (7,).
        settle_s: Time at rest at the end of a reset, before the wrench is tared.
        limits: The limits of the cell, which hold in resets and for every target.
        watchdog: Rates and timeouts of the targets.
        hand: The Franka Hand; null = the arm has none.
        homing: Joint-space motion at the start of a reset; null = none.
    """

    host: str
    realtime: Literal["enforce", "ignore"]
    recovers_on_resume: bool
    tool_in_nominal: tuple[float, ...]
    settle_s: float
    limits: SafetyLimits
    watchdog: WatchdogSettings
    impedance: ImpedanceConfig
    collision: CollisionConfig
    load: LoadConfig
    hand: HandConfig | None
    homing: JointHomingConfig | None

    def __post_init__(self) -> None:
        expect(bool(self.host.strip()), "host", "a host name or an address", self.host)
        expect_above(self, 0.0, "settle_s")
        expect_length(self, 7, "tool_in_nominal")
        length = float(np.linalg.norm(self.tool_in_nominal[3:]))
        expect(abs(length - 1.0) < 1e-3, "tool_in_nominal", "a unit quaternion xyzw at its end", self.tool_in_nominal)

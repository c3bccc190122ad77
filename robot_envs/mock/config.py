"""Settings of the mock robot, its world and its cameras; the numbers are in configs/. Needs no MuJoCo."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal

from steadyhand.robot_envs.camera import ViewConfig
from steadyhand.robot_envs.mock.gap import GapConfig
from steadyhand.robot_envs.mock.workpieces import is_articulated
from steadyhand.runtime.ranges import expect_above, expect_at_least

__all__ = ["ImpedanceConfig", "MockConfig", "MockRobotConfig", "RenderedCameraConfig", "SceneConfig", "WorldConfig"]


@dataclass(frozen=True)
class ImpedanceConfig:
    """Gains of the Cartesian impedance controller and its reference limits."""

    stiffness_n_m: float
    damping_ns_m: float
    rotation_stiffness_nm_rad: float
    rotation_damping_nms_rad: float
    reference_limit_m: float
    reference_limit_rad: float
    posture_stiffness_nm_rad: float
    joint_damping_nms_rad: float
    armature_kg_m2: float

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "stiffness_n_m", "rotation_stiffness_nm_rad", "reference_limit_m")
        expect_above(self, 0.0, "reference_limit_rad")
        expect_at_least(self, 0.0, "damping_ns_m", "rotation_damping_nms_rad", "posture_stiffness_nm_rad")
        expect_at_least(self, 0.0, "joint_damping_nms_rad", "armature_kg_m2")


@dataclass(frozen=True)
class SceneConfig:
    """Workpieces around the arm. Each one is ``{kind: ..., sizes in metres}`` (see ``mock/workpieces.py``).

    Attributes:
        tool: Tool held rigidly by the hand, or None.
        tools: Tools of several arms, by the name of the arm; an arm without one has `tool`.
        fixtures: Immovable workpieces placed by the task, by name; those with a joint have one moving part.
        objects: Loose bodies, by name.
    """

    tool: dict[str, Any] | None
    fixtures: dict[str, dict[str, Any]]
    objects: dict[str, dict[str, Any]]
    tools: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def articulated(self) -> tuple[str, ...]:
        """Names of the workpieces that have a joint."""
        workpieces = self.fixtures | self.objects
        return tuple(name for name, description in workpieces.items() if is_articulated(description))


@dataclass(frozen=True)
class WorldConfig:
    """The simulated world.

    Attributes:
        physics_timestep_s: Timestep of at most 2 ms, so that impedance control runs at 500 Hz or faster.
        pace: lockstep = as fast as it can be computed; realtime = at the pace of the wall clock.
    """

    physics_timestep_s: float
    pace: Literal["realtime", "lockstep"]
    impedance: ImpedanceConfig

    def __post_init__(self) -> None:
        if not 0.0 < self.physics_timestep_s <= 0.002:
            raise ValueError(
                f"physics_timestep_s: expected 0 < s <= 0.002 (500 Hz control), found {self.physics_timestep_s}"
            )


@dataclass(frozen=True)
class MockRobotConfig:
    """Imperfections of the mock robot: latency, noise and calibration errors.

    Attributes:
        command_latency_s: Time from ``command`` until the controller follows it.
        position_noise_m: Standard deviation of the measured TCP position, per axis.
        rotation_noise_rad: Standard deviation of the measured orientation, per axis.
        force_noise_n: Standard deviation of the measured force, per axis.
        torque_noise_nm: Standard deviation of the measured torque, per axis.
        force_bias_n: Error of the tare, uniform within +- this, per axis, fixed for an episode. An arm without a wrist
            sensor estimates the wrench from its joint torques, and joint friction makes that estimate wrong.
        torque_bias_nm: The same error for the torque.
        pose_offset_m: Calibration error of the TCP: uniform within +- this, per axis, fixed for an episode.
        settle_s: Simulated time at rest at the end of a reset, before the wrench is tared.
    """

    command_latency_s: float
    position_noise_m: float
    rotation_noise_rad: float
    force_noise_n: float
    torque_noise_nm: float
    force_bias_n: float
    torque_bias_nm: float
    pose_offset_m: float
    settle_s: float

    def __post_init__(self) -> None:
        expect_at_least(self, 0.0, *(field.name for field in fields(self)))


@dataclass(frozen=True)
class MockConfig:
    """Settings of a simulated arm.

    Attributes:
        world: The simulated world.
        imperfections: Imperfections that every simulated arm has.
        gap: Differences of the cell from its description, from the group `gap`; None = none.
    """

    world: WorldConfig
    imperfections: MockRobotConfig
    gap: GapConfig | None = None


@dataclass(frozen=True)
class RenderedCameraConfig(ViewConfig):
    """One rendered view."""

    @property
    def uncropped(self) -> RenderedCameraConfig:
        """The view as a driver publishes it: the whole picture, with pixels of the same size."""
        height, width = round(self.height / self.crop.height), round(self.width / self.crop.width)
        return RenderedCameraConfig(height, width)

"""A controller's profile: the ROS 2 interface of one robot. The module itself needs no ROS.

Topic, service and node names are relative to the robot's namespace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from steadyhand.robot_envs.driver_frames import DriverFrames
from steadyhand.robot_envs.gripper_profile import GripperProfile
from steadyhand.robot_envs.homing_profile import HomingProfile
from steadyhand.robot_envs.profile_steps import Check, Step
from steadyhand.robot_envs.safety.watchdog_settings import WatchdogSettings
from steadyhand.runtime.ranges import expect, expect_above

__all__ = [
    "CommandMode",
    "ControllerProfile",
    "FaultSource",
    "GainSets",
    "MaxAges",
    "ProfileTopics",
    "RosRobotConfig",
    "WrenchConvention",
]

CommandMode = Literal["pose", "twist", "joint"]


@dataclass(frozen=True)
class ProfileTopics:
    """The controller's topics.

    Attributes:
        command: Commands from the watchdog to the controller: PoseStamped, TwistStamped or JointState.
        pose: PoseStamped, the measured tool centre point in the frame that `frames` names.
        twist: TwistStamped, its velocity; null = differentiated from the pose.
        joint_states: JointState; joints are matched by name.
        wrench: WrenchStamped; null = the robot measures none, and the wrench reads as zero.
    """

    command: str
    pose: str
    twist: str | None
    joint_states: str
    wrench: str | None


@dataclass(frozen=True)
class WrenchConvention:
    """Convention of the controller's wrench. Ours is the environment acting on the tool, in the tool frame.

    Attributes:
        sign: 1 = the environment on the tool, -1 = the tool on the environment.
        frame: Axes in which the wrench is given: the tool's, or those of the pose's frame. In both cases the torque is
            about the tool centre point.
    """

    sign: Literal[1, -1]
    frame: Literal["tool", "base"]


@dataclass(frozen=True)
class FaultSource:
    """Source of the robot's report of its own health.

    Attributes:
        kind: bool = std_msgs/Bool, true while healthy; franka_state = franka_msgs/FrankaRobotState, which comes with
            franka_ros2; xarm_state = xarm_msgs/RobotMsg, which comes with xarm_ros2.
        topic: Name of the topic.
        latched: True if the topic is published on a change only and kept for late subscribers.
        max_age_s: Age beyond which the source is silent, which counts as a fault; null for a latched one.
    """

    kind: Literal["bool", "franka_state", "xarm_state"]
    topic: str
    latched: bool
    max_age_s: float | None

    def __post_init__(self) -> None:
        if self.latched != (self.max_age_s is None):
            raise ValueError("max_age_s: expected null for a latched topic and a number for any other")
        expect_above(self, 0.0, "max_age_s")


@dataclass(frozen=True)
class GainSets:
    """Sets of gains, each a parameter of the controller's node. The values are read back after setting, and recorded.

    Attributes:
        node: The controller's node.
        compliance: Gains for the policy: parameter to value.
        precision: Gains for resets: parameter to value.
    """

    node: str
    compliance: dict[str, float]
    precision: dict[str, float]

    def __post_init__(self) -> None:
        if self.compliance.keys() != self.precision.keys():
            raise ValueError("gains: expected the same parameters in compliance and in precision")
        for name in ("compliance", "precision"):
            for key, value in getattr(self, name).items():
                expect(value >= 0.0, f"{name}.{key}", "at least 0", value)


@dataclass(frozen=True)
class MaxAges:
    """Ages by receive time beyond which a source counts as silent [s]. This stops the robot, with the source's name."""

    pose_s: float
    joint_states_s: float
    wrench_s: float
    gripper_s: float
    image_s: float

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "pose_s", "joint_states_s", "wrench_s", "gripper_s", "image_s")


@dataclass(frozen=True)
class ControllerProfile:
    """Profile of one controller.

    Attributes:
        command_mode: Type of the commands.
        base_frame: ``frame_id`` of every command; a controller ignores others.
        tool_frame: Frame of the tool centre point.
        frames: Frames of the stamped inputs.
        joints: The arm's joints in order.
        activate: Steps of every `actor/enable`.
        recover: Steps of `actor/recover`, which clear a fault.
        checks: Conditions that the operator has to establish.
        controller_timeout_s: Silence after which the controller itself stops; null = it never stops.
        settle_s: Time at rest at the end of a reset, before the wrench is tared.
        homing: Joint-space motion before an episode; null = none.
    """

    command_mode: CommandMode
    base_frame: str
    tool_frame: str
    frames: DriverFrames
    joints: tuple[str, ...]
    topics: ProfileTopics
    wrench: WrenchConvention
    fault: FaultSource | None
    activate: tuple[Step, ...]
    recover: tuple[Step, ...]
    checks: tuple[Check, ...]
    gains: GainSets | None
    gripper: GripperProfile | None
    max_age: MaxAges
    watchdog: WatchdogSettings
    controller_timeout_s: float | None
    settle_s: float
    homing: HomingProfile | None = None

    def __post_init__(self) -> None:
        homing = self.homing
        if homing is not None and len(homing.position_rad) != len(self.joints):
            raise ValueError(
                f"homing.position_rad: expected {len(self.joints)} numbers, one for each joint, "
                f"found {len(homing.position_rad)}"
            )
        if homing is not None and any(self.topics.pose.startswith(f"{name}/") for name in homing.deactivate):
            raise ValueError(
                f"homing: expected a pose that goes on while {', '.join(homing.deactivate)} is switched off, found "
                f"{self.topics.pose}, which that controller publishes; take another source, or leave homing out"
            )
        if not self.joints or len(set(self.joints)) != len(self.joints):
            raise ValueError(f"joints: expected different names, found {list(self.joints)}")
        for name in ("twist", "wrench"):
            topic, frame = getattr(self.topics, name), getattr(self.frames, name)
            if (topic is None) != (frame is None):
                raise ValueError(f"frames.{name}: expected a frame for topics.{name} and null without, found {frame!r}")
        if any(step.once for step in self.recover):
            raise ValueError("recover: once belongs to the steps of activate")
        timeout = self.controller_timeout_s
        if timeout is not None and timeout * self.watchdog.controller_rate_hz < 2.0:
            raise ValueError(
                f"watchdog.controller_rate_hz: expected two commands within controller_timeout_s ({timeout}), "
                f"found {self.watchdog.controller_rate_hz} Hz"
            )
        expect_above(self, 0.0, "settle_s")


@dataclass(frozen=True)
class RosRobotConfig:
    """The ``robot`` group of a robot behind ROS 2."""

    kind: Literal["ros"]
    profile: ControllerProfile

"""A controller's profile: the ROS 2 interface of one robot. The module itself needs no ROS.

Topic, service and node names are relative to the robot's namespace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from steadyhand.robot_envs.driver_frames import DriverFrames
from steadyhand.robot_envs.profile_steps import Check, Step
from steadyhand.robot_envs.safety.gripper_limits import GripperLimits
from steadyhand.robot_envs.safety.watchdog_settings import WatchdogSettings
from steadyhand.runtime.ranges import expect, expect_above

CommandMode = Literal["pose", "twist", "joint"]
GripperKind = Literal["topic", "gripper_command", "parallel_gripper_command", "franka"]


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
class GripperPoint:
    """One end of a gripper's range.

    Attributes:
        opening_m: Opening between the fingers.
        position: Position of the joint there, in the joint's own unit.
        command: Command value for it.
    """

    opening_m: float
    position: float
    command: float


@dataclass(frozen=True)
class GripperProfile:
    """One gripper, described by the two ends of its range: values in between are linear, in either direction.

    Attributes:
        kind: topic = std_msgs/Float64MultiArray with one number; gripper_command and parallel_gripper_command = the
            actions GripperCommand and ParallelGripperCommand of control_msgs; franka = franka_msgs' actions Move, to
            open, and Grasp, to close.
        command: The topic or the action; for franka the node that serves ``move`` and ``grasp``.
        state_topic: JointState.
        joint: Name of the joint.
        open: The open end.
        closed: The closed end.
        max_effort: Largest effort of a goal, for franka the grasping force [N]; null = the gripper's default. A topic
            has to have null.
        limits: Range and speed of the commands.
    """

    kind: GripperKind
    command: str
    state_topic: str
    joint: str
    open: GripperPoint
    closed: GripperPoint
    max_effort: float | None
    limits: GripperLimits

    def __post_init__(self) -> None:
        if not 0.0 <= self.closed.opening_m < self.open.opening_m:
            raise ValueError(
                f"gripper: expected 0 <= closed.opening_m < open.opening_m, found {self.closed.opening_m} and "
                f"{self.open.opening_m}"
            )
        for name in ("position", "command"):
            if getattr(self.open, name) == getattr(self.closed, name):
                raise ValueError(f"gripper: expected another {name} when open than when closed, found the same")
        needs_effort = self.kind in ("gripper_command", "franka")
        if needs_effort and not (self.max_effort is not None and self.max_effort > 0.0):
            raise ValueError(f"gripper.max_effort: expected a number above 0 for {self.kind}, found {self.max_effort}")
        if self.kind == "topic" and self.max_effort is not None:
            raise ValueError("gripper.max_effort: expected null, a topic carries no effort")

    @property
    def source(self) -> str:
        """Unique name of its state; the arm's joints may be on the same topic."""
        return f"{self.state_topic} ({self.joint})"

    @property
    def takes_speed(self) -> bool:
        """True if a command includes the speed; any other gripper is moved in steps."""
        return self.kind == "franka"

    def opening_at(self, position: float) -> float:
        """Return the opening [m] at a position of the joint."""
        return self._between(position, "position", "opening_m")

    def position_at(self, opening_m: float) -> float:
        """Return the joint's position at an opening [m]."""
        return self._between(opening_m, "opening_m", "position")

    def command_for(self, opening_m: float) -> float:
        """Return the command value for an opening [m]."""
        return self._between(opening_m, "opening_m", "command")

    def commanded_opening(self, command: float) -> float:
        """Return the opening [m] of a command value."""
        return self._between(command, "command", "opening_m")

    def _between(self, value: float, given: str, wanted: str) -> float:
        low, high = getattr(self.closed, given), getattr(self.open, given)
        share = (value - low) / (high - low)
        return float((1.0 - share) * getattr(self.closed, wanted) + share * getattr(self.open, wanted))


@dataclass(frozen=True)
class HomingProfile:
    """A joint-space motion before an episode, by a controller that replaces the Cartesian one meanwhile.

    Attributes:
        action: Name of the action, control_msgs/action/FollowJointTrajectory.
        activate: The controllers that are active during the motion.
        deactivate: The controllers that they replace; these are active again afterwards.
        position_rad: Goal of the joints, in the profile's order. Shape (n_joints,).
        max_velocity_rad_s: Largest velocity of every joint.
        max_acceleration_rad_s2: Largest acceleration of every joint.
        max_jerk_rad_s3: Largest jerk of every joint.
        tolerance_rad: Largest distance of every joint at which the arm counts as at home.
        every_episodes: Number of episodes from one homing to the next.
    """

    action: str
    activate: tuple[str, ...]
    deactivate: tuple[str, ...]
    position_rad: tuple[float, ...]
    max_velocity_rad_s: float
    max_acceleration_rad_s2: float
    max_jerk_rad_s3: float
    tolerance_rad: float
    every_episodes: int

    def __post_init__(self) -> None:
        rates = ("max_velocity_rad_s", "max_acceleration_rad_s2", "max_jerk_rad_s3")
        for name in (*rates, "tolerance_rad", "every_episodes"):
            if not getattr(self, name) > 0:
                raise ValueError(f"homing.{name}: expected a number above 0, found {getattr(self, name)}")
        both = sorted(set(self.activate) & set(self.deactivate))
        if not self.activate or not self.deactivate or both:
            raise ValueError(
                f"homing: expected controllers to activate and others to deactivate, found {list(self.activate)} and "
                f"{list(self.deactivate)}"
            )


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

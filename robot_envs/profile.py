"""A controller's profile: how one robot is spoken to over ROS 2. Needs no ROS itself.

Topic, service and node names are relative to the robot's namespace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from robot_envs.safety.watchdog_settings import WatchdogSettings

CommandMode = Literal["pose", "twist", "joint"]


@dataclass(frozen=True)
class ProfileTopics:
    """The controller's topics.

    Attributes:
        command: What the watchdog publishes and the controller follows: PoseStamped, TwistStamped or JointState.
        pose: PoseStamped, the measured tool centre point in the base frame.
        twist: TwistStamped, its velocity in the base frame; null = differentiated from the pose.
        joint_states: JointState; joints are matched by name.
        wrench: WrenchStamped; null = the robot measures none, and it reads as zero.
    """

    command: str
    pose: str
    twist: str | None
    joint_states: str
    wrench: str | None


@dataclass(frozen=True)
class WrenchConvention:
    """How the controller reports the wrench; ours is the environment acting on the tool, in the tool frame.

    Attributes:
        sign: 1 = the environment on the tool, -1 = the tool on the environment.
        frame: Axes in which the wrench is given; its torque is about the tool centre point either way.
    """

    sign: Literal[1, -1]
    frame: Literal["tool", "base"]


@dataclass(frozen=True)
class FaultSource:
    """Where the robot says that it is well.

    Attributes:
        kind: bool = std_msgs/Bool, true while well; franka_state = franka_msgs/FrankaRobotState, which comes with
            franka_ros2.
        topic: Its name.
        latched: The topic is published on a change only and kept for late subscribers.
        max_age_s: Age beyond which the source is silent, which counts as a fault; null for a latched one.
    """

    kind: Literal["bool", "franka_state"]
    topic: str
    latched: bool
    max_age_s: float | None

    def __post_init__(self) -> None:
        if self.latched != (self.max_age_s is None):
            raise ValueError("max_age_s: expected null for a latched topic and a number for any other")


@dataclass(frozen=True)
class RecoverStep:
    """One step of ``~/recover``, which only a person starts.

    Attributes:
        kind: trigger = std_srvs/Trigger, set_bool = std_srvs/SetBool with true, activate_controller =
            controller_manager_msgs/SwitchController, franka_error_recovery = franka_msgs/ErrorRecovery; the last two
            come with the robot's own packages.
        name: The service or action; for activate_controller the controller.
    """

    kind: Literal["trigger", "set_bool", "activate_controller", "franka_error_recovery"]
    name: str


@dataclass(frozen=True)
class GainSets:
    """Sets of gains, each a parameter of the controller's node; what was set is read back and recorded.

    Attributes:
        node: The controller's node.
        compliance: For the policy: parameter to value.
        precision: For resets.
    """

    node: str
    compliance: dict[str, float]
    precision: dict[str, float]

    def __post_init__(self) -> None:
        if self.compliance.keys() != self.precision.keys():
            raise ValueError("gains: expected the same parameters in compliance and in precision")


@dataclass(frozen=True)
class GripperProfile:
    """The gripper.

    Attributes:
        command_topic: Float64MultiArray with the wanted opening times ``command_per_m``, for one joint.
        state_topic: JointState.
        joint: The joint, matched by name.
        width_per_position_m: Opening between the fingers for a joint position of 1.
        command_per_m: Command for an opening of 1 m.
    """

    command_topic: str
    state_topic: str
    joint: str
    width_per_position_m: float
    command_per_m: float


@dataclass(frozen=True)
class MaxAges:
    """Ages by receive time beyond which a source is silent, which stops the robot with the source's name [s]."""

    pose_s: float
    joint_states_s: float
    wrench_s: float
    gripper_s: float
    image_s: float


@dataclass(frozen=True)
class ControllerProfile:
    """One controller.

    Attributes:
        command_mode: What the command topic carries.
        base_frame: ``frame_id`` of every command; a controller ignores others.
        tool_frame: The tool centre point.
        joints: The arm's joints in order.
        controller_timeout_s: Silence after which the controller itself stops; null = it never does.
        settle_s: Time at rest at the end of a reset, before the wrench is tared.
    """

    command_mode: CommandMode
    base_frame: str
    tool_frame: str
    joints: tuple[str, ...]
    topics: ProfileTopics
    wrench: WrenchConvention
    fault: FaultSource | None
    recover: tuple[RecoverStep, ...]
    gains: GainSets | None
    gripper: GripperProfile | None
    max_age: MaxAges
    watchdog: WatchdogSettings
    controller_timeout_s: float | None
    settle_s: float

    def __post_init__(self) -> None:
        if not self.joints or len(set(self.joints)) != len(self.joints):
            raise ValueError(f"joints: expected different names, found {list(self.joints)}")
        timeout = self.controller_timeout_s
        if timeout is not None and timeout * self.watchdog.controller_rate_hz < 2.0:
            raise ValueError(
                f"watchdog.controller_rate_hz: expected two commands within controller_timeout_s ({timeout}), "
                f"found {self.watchdog.controller_rate_hz} Hz"
            )


@dataclass(frozen=True)
class RosRobotConfig:
    """The ``robot`` group of a robot behind ROS 2."""

    kind: Literal["ros"]
    profile: ControllerProfile

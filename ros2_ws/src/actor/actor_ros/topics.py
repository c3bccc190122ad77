"""The single table of all topics and services, with their publishers and subscribers. Needs no ROS.

Names are relative to the robot's namespace; `<camera>` stands for a camera's name. The names of a robot's own topics
are the mock's. A controller profile (`configs/robot/`) gives those of another robot, in the field that
`Topic.profile_key` names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ACTOR", "ANYONE", "DEVICE", "MOCK", "ROBOT", "SERVICES", "TOPICS", "WATCHDOG", "Service", "Topic", "topic"]

ACTOR = "actor"
WATCHDOG = "watchdog"
MOCK = "mock_robot"
ROBOT = "robot"
DEVICE = "device"
ANYONE = "anyone"

QosName = Literal["command", "event", "image", "latched", "sensor", "state"]


@dataclass(frozen=True)
class Topic:
    """One topic.

    Attributes:
        name: Topic name, relative to the robot's namespace; only /diagnostics is absolute.
        message: Message type, `package/msg/Type`.
        publisher: The publishing node, or robot: any controller and drivers that the profile names, including the mock.
        subscribers: The subscribing nodes, in the same notation.
        offered: Quality of service of the publisher, a name in `qos.py`.
        requested: Quality of service of our subscribers, a name in `qos.py`.
        description: Contents of the topic, with units.
        frame: Frame of the numbers; "" = none.
        required: Whether the actor refuses to be configured without it.
        profile_key: Field of the controller profile that names the topic; "" = the name is fixed.
    """

    name: str
    message: str
    publisher: str
    subscribers: tuple[str, ...]
    offered: QosName
    requested: QosName
    description: str
    frame: str = ""
    required: bool = False
    profile_key: str = ""


@dataclass(frozen=True)
class Service:
    """One service.

    Attributes:
        name: Service name, relative to the robot's namespace.
        type: Service type, `package/srv/Type`.
        server: The serving node.
        description: Effect of the service.
    """

    name: str
    type: str
    server: str
    description: str


def _from_robot(
    name: str, message: str, subscribers: tuple[str, ...], description: str, frame: str, required: bool, key: str
) -> Topic:
    return Topic(name, message, ROBOT, subscribers, "state", "sensor", description, frame, required, key)


TOPICS: tuple[Topic, ...] = (
    # From the robot.
    _from_robot(
        "current_pose", "geometry_msgs/msg/PoseStamped", (ACTOR, WATCHDOG),
        "Measured tool centre point [m], quaternion xyzw", "base", True, "topics.pose",
    ),
    _from_robot(
        "current_twist", "geometry_msgs/msg/TwistStamped", (ACTOR,),
        "Its velocity, linear [m/s] and angular [rad/s]", "base", False, "topics.twist",
    ),
    _from_robot(
        "joint_states", "sensor_msgs/msg/JointState", (ACTOR, WATCHDOG),
        "Joint positions [rad] and velocities [rad/s], matched by name", "", True, "topics.joint_states",
    ),
    _from_robot(
        "external_wrench", "geometry_msgs/msg/WrenchStamped", (ACTOR,),
        "Force [N] and torque [Nm]; the profile gives sign and frame", "tool", False, "topics.wrench",
    ),
    _from_robot(
        "robot_ok", "std_msgs/msg/Bool", (ACTOR, WATCHDOG),
        "True while the robot reports no fault of its own", "", False, "fault.topic",
    ),
    _from_robot(
        "gripper/joint_states", "sensor_msgs/msg/JointState", (ACTOR,),
        "Position of the gripper's joint", "", False, "gripper.state_topic",
    ),
    Topic(
        "<camera>/image_raw", "sensor_msgs/msg/Image", ROBOT, (ACTOR,), "image", "sensor",
        "Frames, in the encodings under *Pictures*", "camera",
    ),
    Topic(
        "<camera>/image_raw/compressed", "sensor_msgs/msg/CompressedImage", ROBOT, (ACTOR,), "image", "sensor",
        "The same as JPEG or PNG, for a slow network", "camera",
    ),
    # From the operator's device.
    Topic(
        "spacenav/joy", "sensor_msgs/msg/Joy", DEVICE, (ACTOR,), "event", "sensor",
        "SpaceMouse: six axes in [-1, 1] and buttons", "",
    ),
    Topic("joy", "sensor_msgs/msg/Joy", DEVICE, (ACTOR,), "event", "sensor", "Gamepad: axes in [-1, 1] and buttons"),
    Topic(
        "gello/joint_states", "sensor_msgs/msg/JointState", DEVICE, (ACTOR,), "event", "sensor",
        "Leader arm: joint positions [rad], matched by name. Named by `device.source.topic`",
    ),
    Topic(
        "gripper/gripper_client/target_gripper_width_percent", "std_msgs/msg/Float32", DEVICE, (ACTOR,),
        "event", "sensor",
        "Leader arm: its trigger, 1 released and 0 squeezed. Named by `device.source.trigger.topic`",
    ),
    # From the actor: exactly one of the three commands, according to the profile's command_mode.
    Topic(
        "actor/command", "geometry_msgs/msg/PoseStamped", ACTOR, (WATCHDOG,), "command", "command",
        "command_mode pose: target of the tool centre point [m], xyzw", "base",
    ),
    Topic(
        "actor/command", "geometry_msgs/msg/TwistStamped", ACTOR, (WATCHDOG,), "command", "command",
        "command_mode twist: velocity of the tool centre point [m/s], [rad/s]", "base",
    ),
    Topic(
        "actor/command", "sensor_msgs/msg/JointState", ACTOR, (WATCHDOG,), "command", "command",
        "command_mode joint: joint positions [rad], by name", "",
    ),
    Topic(
        "actor/gripper_command", "std_msgs/msg/Float64", ACTOR, (WATCHDOG,), "command", "command",
        "Wanted opening between the fingers [m]",
    ),
    Topic(
        "actor/homing", "std_msgs/msg/Bool", ACTOR, (WATCHDOG,), "command", "command",
        "True while a homing trajectory runs and the actor watches it, in every control period. When it falls silent, "
        "the watchdog cancels the trajectory",
    ),
    Topic("actor/intervention", "std_msgs/msg/Bool", ACTOR, (ANYONE,), "event", "event", "A person is acting"),
    Topic(
        "actor/policy_action", "std_msgs/msg/Float32MultiArray", ACTOR, (ANYONE,), "event", "event",
        "What the policy proposes, normalised to [-1, 1]", "tool",
    ),
    Topic(
        "actor/action", "std_msgs/msg/Float32MultiArray", ACTOR, (ANYONE,), "event", "event",
        "What was chosen, the policy's or the person's, normalised to [-1, 1]", "tool",
    ),
    Topic(
        "actor/episode", "diagnostic_msgs/msg/DiagnosticStatus", ACTOR, (ANYONE,), "latched", "latched",
        "The episode that runs: its number, phase, step and how the last one ended; of a recording also the countdown, "
        "and the count of demonstrations",
    ),
    # From the watchdog, the only publisher to the controller.
    Topic(
        "target_pose", "geometry_msgs/msg/PoseStamped", WATCHDOG, (ROBOT,), "command", "command",
        "command_mode pose: target at controller_rate_hz [m], xyzw", "base", False, "topics.command",
    ),
    Topic(
        "target_twist", "geometry_msgs/msg/TwistStamped", WATCHDOG, (ROBOT,), "command", "command",
        "command_mode twist: velocity at controller_rate_hz [m/s], [rad/s]", "base", False, "topics.command",
    ),
    Topic(
        "target_joint", "sensor_msgs/msg/JointState", WATCHDOG, (ROBOT,), "command", "command",
        "command_mode joint: positions at controller_rate_hz [rad]", "", False, "topics.command",
    ),
    Topic(
        "gripper_position_controller/commands", "std_msgs/msg/Float64MultiArray", WATCHDOG, (ROBOT,),
        "command", "command", "Command of a gripper of kind topic", "", False, "gripper.command",
    ),
    Topic(
        "watchdog/stop_reason", "std_msgs/msg/String", WATCHDOG, (ACTOR,), "latched", "latched",
        "Why commands are not passed on; empty while they are",
    ),
    # From every node.
    Topic(
        "/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", ACTOR, (ANYONE,), "event", "event",
        "1 Hz: loop period, missed periods, age of each source, link, policy version, interventions",
    ),
    Topic(
        "/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", WATCHDOG, (ANYONE,), "event", "event",
        "1 Hz: its own period p50, p99 and max, stop reason, publishers of the command topic",
    ),
    Topic(
        "/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", MOCK, (ANYONE,), "event", "event",
        "1 Hz: its own period, targets followed and ignored, and why",
    ),
    # Of the mock only: replacements for an operator's hands at a real cell.
    Topic(
        "mock_robot/workpieces", "sensor_msgs/msg/MultiDOFJointState", ACTOR, (MOCK,), "event", "event",
        "Mock only: place workpieces, by name [m], xyzw. The stamp identifies the request", "base",
    ),
    Topic(
        "mock_robot/workpieces_state", "sensor_msgs/msg/MultiDOFJointState", MOCK, (ACTOR,), "state", "sensor",
        "Mock only: where every workpiece is [m], xyzw. Its stamp is that of the last request that was carried out",
        "base",
    ),
)  # fmt: skip

SERVICES: tuple[Service, ...] = (
    Service("actor/enable", "std_srvs/srv/SetBool", ACTOR, "A person allows motion, or forbids it. Clears a stop"),
    Service("actor/reset", "std_srvs/srv/Trigger", ACTOR, "End the episode and go to the next one's start"),
    Service("actor/success", "std_srvs/srv/Trigger", ACTOR, "The person marks the episode as a success"),
    Service("actor/failure", "std_srvs/srv/Trigger", ACTOR, "The person marks the episode as a failure"),
    Service("actor/stop", "std_srvs/srv/Trigger", ACTOR, "Hold now; latched until actor/enable"),
    Service(
        "actor/park", "std_srvs/srv/Trigger", ACTOR,
        "A break: end the episode, go to the park pose, hold; actor/enable goes on",
    ),
    Service(
        "actor/recover", "std_srvs/srv/Trigger", ACTOR,
        "Run the profile's recover steps, tare, start again from the measured pose; motion still needs actor/enable",
    ),
    Service(
        "watchdog/rearm", "std_srvs/srv/Trigger", WATCHDOG,
        "Clear a latched stop reason. The actor passes on a person's actor/enable; nothing else calls it",
    ),
    Service("mock_robot/error_recovery", "std_srvs/srv/Trigger", MOCK, "Mock only: first step out of a fault"),
    Service(
        "mock_robot/activate_controller", "std_srvs/srv/Trigger", MOCK,
        "Mock only: second step out of a fault; refused before the first",
    ),
    Service("mock_robot/inject_fault", "std_srvs/srv/Trigger", MOCK, "Mock only: the arm stops with a fault"),
    Service(
        "mock_robot/set_parameters", "rcl_interfaces/srv/SetParameters", MOCK,
        "task.k_pos and task.k_rot are the gains; mock only: episode_seed begins an episode and reseeds the noise",
    ),
)  # fmt: skip


def topic(name: str, message: str = "") -> Topic:
    """Return a topic of the table; `message` distinguishes topics of one name.

    Raises:
        KeyError: There is no such topic.
    """
    for found in TOPICS:
        if found.name == name and message in ("", found.message):
            return found
    raise KeyError(f"topic {name!r} {message} is not in the contract")

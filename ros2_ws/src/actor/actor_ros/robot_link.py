"""The actor's end of a robot's topics: readings go to `LatestReadings`, commands to the watchdog."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped, TwistStamped, WrenchStamped
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Float64, String

from actor_ros import conversions, qos
from actor_ros.conversions import MessageError
from actor_ros.fault_source import subscribe_fault
from actor_ros.frame_check import FrameCheck
from actor_ros.latest import Latest
from actor_ros.latest_readings import LatestReadings
from actor_ros.topics import QosName
from steadyhand.robot_envs.frames import IDENTITY_QUAT, Array, quat_inverse, quat_multiply, rotvec_from_quat
from steadyhand.robot_envs.gripper_profile import GripperProfile
from steadyhand.robot_envs.profile import ControllerProfile
from steadyhand.robot_envs.safety.command_stream import LATCHING, HoldReason
from steadyhand.runtime.build import ConfigError

__all__ = ["HOMING", "WATCHDOG", "RobotLink"]

WATCHDOG = "watchdog/stop_reason"
HOMING = "actor/homing"
_LATCHING = frozenset(reason.value for reason in LATCHING)


class RobotLink:
    """The topics of one arm.

    Args:
        node: The node of the topics. State is read on request of the sources, the rest by callbacks.
        profile: The arm's controller profile.
        sources: Receives the readings, each by its topic's name.
        on_fault: Called whenever the robot reports a fault.

    Raises:
        ConfigError: The actor cannot make the commands that the controller takes.
        ImportError: The robot's own package with the fault's message is not installed.
    """

    def __init__(
        self, node: Node, profile: ControllerProfile, sources: LatestReadings, on_fault: Callable[[], None]
    ) -> None:
        if profile.command_mode == "joint":
            raise ConfigError(
                "robot.profile.command_mode: the actor steers the tool and knows no inverse kinematics, expected pose "
                "or twist, found joint; put a Cartesian controller in between"
            )
        self.node, self.profile, self.sources = node, profile, sources
        self.has_commanded = False  # whether any target was sent to the watchdog
        self._on_fault = on_fault
        self._frames = FrameCheck(node, profile)
        topics, ages = profile.topics, profile.max_age
        self._listen(PoseStamped, topics.pose, ages.pose_s, self._pose)
        if topics.twist is not None:
            self._listen(TwistStamped, topics.twist, ages.pose_s, self._twist)
        self._listen(
            JointState,
            topics.joint_states,
            ages.joint_states_s,
            lambda m: conversions.joints_to_arrays(m, profile.joints),
            containing=profile.joints[0] if profile.joints else "",
        )
        if topics.wrench is not None:
            self._listen(WrenchStamped, topics.wrench, ages.wrench_s, self._wrench)
        if (gripper := profile.gripper) is not None:
            self._listen(
                JointState,
                gripper.state_topic,
                ages.gripper_s,
                lambda m: self._gripper_width(m, gripper),
                name=gripper.source,
                containing=gripper.joint,
            )
        if (fault := profile.fault) is not None:
            sources.expect(fault.topic, fault.max_age_s)
            look = subscribe_fault(node, fault, sources.clock, partial(self._on_health, fault.topic))
            sources.follow(fault.topic, look)
        self._listen(String, WATCHDOG, None, self._watchdog_says, "latched")
        command = qos.profile("command")
        message = PoseStamped if profile.command_mode == "pose" else TwistStamped
        self._command = node.create_publisher(message, "actor/command", command)
        self._homing = node.create_publisher(Bool, HOMING, command)
        self._gripper = node.create_publisher(Float64, "actor/gripper_command", command) if profile.gripper else None

    @property
    def is_well(self) -> bool:
        """True while the robot reports no fault of its own."""
        fault = self.profile.fault
        return fault is None or self.sources.newest(fault.topic) is not False

    @property
    def watchdog_stop(self) -> str:
        """The reason of the watchdog's latched stop, which the operator must clear; "" without one."""
        reason = self.sources.newest(WATCHDOG)
        return reason if reason in _LATCHING else ""

    @property
    def frame_fault(self) -> str:
        """The reason why a stamped input is discarded, as one line; "" while all are in the profile's frames."""
        topics = self.profile.topics
        for topic in (topics.pose, topics.twist, topics.wrench):
            if topic is not None:
                self.sources.newest(topic)  # a message is decoded, and its frame checked, when it is asked for
        return self._frames.fault

    @property
    def is_passing(self) -> bool:
        """True while the watchdog passes commands on."""
        return bool(self.sources.newest(WATCHDOG) == "")

    def pose(self) -> Array:
        """Return the measured pose in the base frame. Shape (7,)."""
        found: Array = self.sources.newest(self.profile.topics.pose)
        return found

    def command(self, target: Array, measured: Array) -> None:
        """Command a pose of the tool, shape (7,). A controller of velocities gets the velocity towards that pose.

        Args:
            target: Target pose of the tool; base frame, shape (7,).
            measured: Measured pose of the tool; base frame, shape (7,).
        """
        self.has_commanded = True
        stamp, frame = self.node.get_clock().now().to_msg(), self.profile.base_frame
        if self.profile.command_mode == "pose":
            self._command.publish(conversions.pose_from_array(target, frame, stamp))
            return
        turn = rotvec_from_quat(quat_multiply(target[3:], quat_inverse(measured[3:])))
        twist = np.concatenate([target[:3] - measured[:3], turn]) / self.profile.watchdog.command_period_s
        self._command.publish(conversions.twist_from_array(twist, frame, stamp))

    def homing(self, is_under_way: bool) -> None:
        """Tell the watchdog whether the actor monitors a homing trajectory; call it in every period of homing."""
        self._homing.publish(Bool(data=is_under_way))

    def gripper(self, width_m: float) -> None:
        """Command an opening between the fingers [m]."""
        if self._gripper is not None:
            self._gripper.publish(Float64(data=float(width_m)))

    def _listen(
        self,
        message_type: Any,
        topic: str,
        max_age_s: float | None,
        convert: Callable[[Any], Any],
        quality: QosName = "sensor",
        name: str = "",
        containing: str = "",
    ) -> None:
        name = name or topic
        self.sources.expect(name, max_age_s)

        def take_in(message: Any, received_ns: int | None = None) -> None:
            try:
                value = convert(message)
            except MessageError as error:
                # It counts as not heard, so that the source falls silent and the stop names it.
                if self.sources.refuse(name, str(error)):
                    self.node.get_logger().error(f"{name}: {error}")
                return
            if value is not None:
                self.sources.put(name, value, received_ns)

        if quality != "sensor":
            self.node.create_subscription(message_type, topic, take_in, qos.profile(quality))
            return
        latest = Latest(self.node, message_type, topic, self.sources.clock, containing=containing)

        def pull() -> None:
            if (taken := latest.take()) is not None:
                take_in(*taken)

        self.sources.follow(name, pull)

    def _gripper_width(self, message: JointState, gripper: GripperProfile) -> float | None:
        is_shared = gripper.state_topic == self.profile.topics.joint_states
        if is_shared and gripper.joint not in message.name:
            return None  # the arm's part of a topic that two broadcasters share
        return conversions.gripper_width(message, gripper)

    def _fits(self, topic: str | None, message: Any) -> bool:
        return self._frames.fits(str(topic), str(message.header.frame_id))

    def _pose(self, message: PoseStamped) -> Array | None:
        if not self._fits(self.profile.topics.pose, message):
            return None
        return self.profile.frames.to_base(conversions.pose_to_array(message.pose))

    def _twist(self, message: TwistStamped) -> Array | None:
        pose = self.sources.newest(self.profile.topics.pose)
        frames = self.profile.frames
        if not self._fits(self.profile.topics.twist, message) or (pose is None and frames.twist_axes == "local"):
            return None
        return frames.twist_to_base(conversions.twist_to_array(message), _quat(pose))

    def _wrench(self, message: WrenchStamped) -> Array | None:
        pose = self.sources.newest(self.profile.topics.pose)
        convention = self.profile.wrench
        if not self._fits(self.profile.topics.wrench, message) or (pose is None and convention.frame == "base"):
            return None
        return conversions.wrench_to_array(message, convention, self.profile.frames.tool_quat_of_driver(_quat(pose)))

    def _watchdog_says(self, message: String) -> str:
        reason = str(message.data)
        if reason == HoldReason.ROBOT_FAULT.value:  # the watchdog may learn of the fault first
            self._on_fault()
        return reason

    def _on_health(self, topic: str, is_well: bool, received_ns: int) -> None:
        self.sources.put(topic, is_well, received_ns)
        if not is_well:
            self._on_fault()


def _quat(pose: Array | None) -> Array:
    """Return the tool's orientation (4,), xyzw; before the first pose an arbitrary one, for uses independent of it."""
    return IDENTITY_QUAT if pose is None else pose[3:]

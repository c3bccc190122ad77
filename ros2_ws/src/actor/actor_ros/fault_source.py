"""The robot's own fault report, from the topic that its profile names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Bool

from actor_ros import qos
from actor_ros.latest import Latest
from actor_ros.packages import MissingPackageError, load_type
from steadyhand.robot_envs.profile import FaultSource
from steadyhand.runtime.clock import Clock

__all__ = ["franka_is_well", "subscribe_fault", "xarm_is_well"]

# franka_msgs/FrankaRobotState: robot_mode. In every other mode (guiding, reflex, user stopped, recovering) the arm
# takes no commands.
_FRANKA_IDLE, _FRANKA_MOVE = 1, 2
# xarm_msgs/RobotMsg: state. Above it the arm is paused, stopped, or its configuration has changed.
_XARM_READY = 2


def subscribe_fault(
    node: Node, source: FaultSource, clock: Clock, on_state: Callable[[bool, int], None]
) -> Callable[[], None]:
    """Subscribe to the robot's fault reports; return a function that takes the newest one and calls `on_state`.

    `on_state` gets whether the robot is without a fault, and the time of receipt [ns]. A driver may report at 1000 Hz
    in a message that takes longer than 1 ms to decode, so only the newest report is decoded. Reports of a driver that
    publishes only on a change are passed on at once.

    Raises:
        ImportError: The robot's own package with the message type is not installed.
    """
    message_type: Any = Bool
    is_well: Callable[[Any], bool] = _is_true
    if source.kind != "bool":
        name, is_well = _ROBOTS_OWN[source.kind]
        try:
            message_type = load_type(name)
        except MissingPackageError as error:
            raise MissingPackageError(
                f"robot.profile.fault: {error}, or name a std_msgs/Bool topic with kind: bool"
            ) from None
    if source.latched:  # the driver publishes only on a change
        node.create_subscription(
            message_type,
            source.topic,
            lambda message: on_state(is_well(message), clock.now_ns()),
            qos.profile("latched"),
        )
        return _nothing
    latest = Latest(node, message_type, source.topic, clock)

    def look() -> None:
        if (taken := latest.take()) is not None:
            on_state(is_well(taken[0]), taken[1])

    return look


def _nothing() -> None:
    """Do nothing: the reports come by callback."""


def _is_true(message: Any) -> bool:
    return bool(message.data)


def franka_is_well(message: Any) -> bool:
    """Return whether a FrankaRobotState reports an arm that follows commands."""
    return int(message.robot_mode) in (_FRANKA_IDLE, _FRANKA_MOVE)


def xarm_is_well(message: Any) -> bool:
    """Return whether a RobotMsg reports an arm that follows commands: no error, and running or ready."""
    return int(message.err) == 0 and int(message.state) <= _XARM_READY


_ROBOTS_OWN: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "franka_state": ("franka_msgs/msg/FrankaRobotState", franka_is_well),
    "xarm_state": ("xarm_msgs/msg/RobotMsg", xarm_is_well),
}

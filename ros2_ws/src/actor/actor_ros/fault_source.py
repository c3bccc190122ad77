"""Whether the robot says that it is well, from whatever topic its profile names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Bool

from actor_ros import qos
from robot_envs.profile import FaultSource

__all__ = ["franka_is_well", "subscribe_fault"]

# franka_msgs/FrankaRobotState: robot_mode. In every other mode (guiding, reflex, user stopped, recovering) the arm
# takes no commands.
_FRANKA_IDLE, _FRANKA_MOVE = 1, 2


def subscribe_fault(node: Node, source: FaultSource, on_state: Callable[[bool], None]) -> None:
    """Call ``on_state`` with True while the robot is well, False while it is not.

    Raises:
        ImportError: The message type comes with the robot's own packages, and they are not installed.
    """
    quality = qos.profile("latched" if source.latched else "sensor")
    if source.kind == "bool":
        node.create_subscription(Bool, source.topic, lambda message: on_state(bool(message.data)), quality)
    else:
        message_type = _franka_message()
        node.create_subscription(message_type, source.topic, lambda message: on_state(franka_is_well(message)), quality)


def franka_is_well(message: Any) -> bool:
    """Whether a FrankaRobotState says that the arm follows commands."""
    return int(message.robot_mode) in (_FRANKA_IDLE, _FRANKA_MOVE)


def _franka_message() -> Any:
    try:
        from franka_msgs.msg import FrankaRobotState
    except ImportError:
        raise ImportError(
            "robot.profile.fault: franka_state needs the package franka_msgs of franka_ros2, which is not installed; "
            "install it, or name a std_msgs/Bool topic with kind: bool"
        ) from None
    return FrankaRobotState

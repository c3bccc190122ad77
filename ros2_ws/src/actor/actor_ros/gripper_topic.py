"""A gripper that follows a command topic of numbers."""

from __future__ import annotations

from rclpy.node import Node
from std_msgs.msg import Float64MultiArray

from actor_ros import qos
from steadyhand.robot_envs.gripper_profile import GripperProfile

__all__ = ["TopicGripper"]


class TopicGripper:
    """Gripper with a command topic. A topic gives no answer, so there are no failures and nothing to cancel."""

    problem = ""

    def __init__(self, node: Node, profile: GripperProfile) -> None:
        self._profile = profile
        self._publisher = node.create_publisher(Float64MultiArray, profile.command, qos.profile("command"))
        self.topic_name: str = self._publisher.topic_name

    def send(self, opening_m: float, measured_m: float) -> None:
        """Publish the command for an opening [m]."""
        self._publisher.publish(Float64MultiArray(data=[self._profile.command_for(opening_m)]))

    def halt(self) -> bool:
        """Return False: there is no goal to cancel, and the last command stays in effect."""
        return False

    def take_failure(self) -> bool:
        """Return False: a topic reports no failures."""
        return False

    def close(self) -> None:
        """Do nothing: the node destroys its publishers."""

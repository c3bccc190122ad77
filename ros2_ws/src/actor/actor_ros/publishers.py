"""What the actor tells anybody who listens: who acts, what is done, which episode runs."""

from __future__ import annotations

import array
from collections.abc import Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from numpy.typing import NDArray
from rclpy.node import Node
from std_msgs.msg import Bool, Float32MultiArray

from actor_ros import qos

__all__ = ["Publishers"]


class Publishers:
    """The publishers."""

    def __init__(self, node: Node) -> None:
        event = qos.profile("event")
        self._name = node.get_fully_qualified_name()
        self._intervention = node.create_publisher(Bool, "actor/intervention", event)
        self._policy_action = node.create_publisher(Float32MultiArray, "actor/policy_action", event)
        self._action = node.create_publisher(Float32MultiArray, "actor/action", event)
        self._episode = node.create_publisher(DiagnosticStatus, "actor/episode", qos.profile("latched"))

    def intervention(self, has_human: bool) -> None:
        """Whether a person is acting."""
        self._intervention.publish(Bool(data=has_human))

    def policy_action(self, action: NDArray[Any]) -> None:
        """What the policy proposes, shape (A,)."""
        self._policy_action.publish(_vector(action))

    def action(self, action: NDArray[Any]) -> None:
        """What was chosen, shape (A,)."""
        self._action.publish(_vector(action))

    def episode(self, message: str, values: Mapping[str, object]) -> None:
        """The episode that runs, or how it ended."""
        status = DiagnosticStatus(level=DiagnosticStatus.OK, name=self._name, message=message)
        status.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
        self._episode.publish(status)


def _vector(values: NDArray[Any]) -> Float32MultiArray:
    message = Float32MultiArray()
    message.data = array.array("f", values.tolist())
    return message

"""The watchdog's interface to a gripper: state in, commands out, over the interface that the profile names.

Nothing here waits. The thread of the callbacks handles the answers of an action server; the loop only reads them.
"""

from __future__ import annotations

import threading

from rclpy.node import Node
from sensor_msgs.msg import JointState

from actor_ros import conversions, qos
from actor_ros.conversions import MessageError
from actor_ros.gripper_actions import ActionGripper, make_goals
from actor_ros.gripper_topic import TopicGripper
from steadyhand.robot_envs.gripper_profile import GripperProfile
from steadyhand.robot_envs.safety.gripper_limits import GripperStream

__all__ = ["Gripper"]


class Gripper:
    """One gripper: requested openings in, commands within range and speed out.

    Args:
        node: The watchdog's node.
        profile: The gripper's profile.

    Raises:
        ImportError: The action's package is not installed.
    """

    def __init__(self, node: Node, profile: GripperProfile) -> None:
        self._node, self._profile = node, profile
        self._stream = GripperStream(
            profile.closed.opening_m, profile.open.opening_m, profile.limits, steps=not profile.takes_speed
        )
        self._opening_m = profile.closed.opening_m
        self._lock = threading.Lock()
        self._shown = ""
        if profile.kind == "topic":
            self._sender: TopicGripper | ActionGripper = TopicGripper(node, profile)
        else:
            self._sender = ActionGripper(node, profile, make_goals(profile))
        node.create_subscription(JointState, profile.state_topic, self._on_state, qos.profile("sensor"))

    @property
    def command_topic(self) -> str:
        """The full name of the topic that only the watchdog may publish; "" for an action."""
        return self._sender.topic_name

    @property
    def problem(self) -> str:
        """The reason why the last command failed; "" without a failure."""
        return self._sender.problem

    def ask(self, opening_m: float) -> None:
        """Set the requested opening [m], a finite number."""
        with self._lock:
            is_inside = self._stream.ask(opening_m)
        if not is_inside:
            low, high = self._profile.closed.opening_m, self._profile.open.opening_m
            self._node.get_logger().warning(
                f"gripper: expected an opening from {low} to {high} m, found {opening_m:.4g} m; its end is taken",
                throttle_duration_sec=10.0,
            )

    def tick(self, now_ns: int, may_move: bool) -> None:
        """Send the command that is due.

        Args:
            now_ns: Local monotonic time.
            may_move: Whether the watchdog passes commands on; if not, a running goal is cancelled.
        """
        sender = self._sender
        with self._lock:
            if sender.take_failure():
                self._stream.failed(now_ns)
            opening = self._stream.tick(now_ns) if may_move else None
            if not may_move and sender.halt():
                self._stream.forget()
            measured = self._opening_m
        if opening is not None:
            sender.send(opening, measured)
        self._show()

    def forget(self) -> None:
        """Forget the requested opening and the last command, because the fingers may have been moved by hand."""
        with self._lock:
            self._stream.restart()

    def close(self) -> None:
        """Send nothing more."""
        self._sender.close()

    def _on_state(self, message: JointState) -> None:
        try:
            opening = conversions.gripper_width(message, self._profile)
        except MessageError:
            return  # the source counts as not heard; the actor names it
        with self._lock:
            self._opening_m = opening
            self._stream.measured(opening)

    def _show(self) -> None:
        problem = self._sender.problem
        if problem and problem != self._shown:
            self._node.get_logger().error(problem)
        self._shown = problem

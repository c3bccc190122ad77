"""The watchdog's guard of a homing trajectory, whose controller cannot detect that the actor has died."""

from __future__ import annotations

import threading

from action_msgs.srv import CancelGoal
from rclpy.node import Node
from std_msgs.msg import Bool

from actor_ros import qos
from actor_ros.robot_link import HOMING
from steadyhand.robot_envs.homing_profile import HomingProfile

__all__ = ["HomingGuard"]

_NS = 1_000_000_000


class HomingGuard:
    """Guard that cancels every trajectory of the action when the actor no longer reports that it monitors one.

    Args:
        node: The watchdog's node.
        profile: The profile that names the action.
        timeout_s: Age of the actor's newest message beyond which the actor is silent.
    """

    def __init__(self, node: Node, profile: HomingProfile, timeout_s: float) -> None:
        self.cancelled = 0
        self._node, self._timeout_ns = node, round(timeout_s * _NS)
        self._heard_ns: int | None = None
        self._is_new = False
        self._lock = threading.Lock()  # messages and ticks come on different threads
        self._cancel = node.create_client(CancelGoal, f"{profile.action}/_action/cancel_goal")
        node.create_subscription(Bool, HOMING, self._on_word, qos.profile("command"))
        self._wake = node.create_guard_condition(self._cancel_all)

    def tick(self, now_ns: int, is_stopped: bool) -> None:
        """Cancel the trajectory if the actor is silent or the watchdog has stopped.

        Args:
            now_ns: Local monotonic time.
            is_stopped: Whether the watchdog has latched a stop.
        """
        with self._lock:
            if self._is_new:
                self._is_new, self._heard_ns = False, now_ns
            must_end = self._heard_ns is not None and (is_stopped or now_ns - self._heard_ns > self._timeout_ns)
            if must_end:
                self._heard_ns = None
        if must_end:
            self._wake.trigger()

    def _on_word(self, message: Bool) -> None:
        with self._lock:
            self._is_new = message.data
            if not message.data:
                self._heard_ns = None

    def _cancel_all(self) -> None:
        self.cancelled += 1
        self._node.get_logger().error(
            "homing: the actor is silent or the watchdog stopped; its trajectory is cancelled"
        )
        # A goal id of zeros at a time of zero means all goals.
        self._cancel.call_async(CancelGoal.Request())

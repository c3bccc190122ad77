"""One goal of an action, polled by a loop that must not block. Another thread runs the callbacks."""

from __future__ import annotations

import threading
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.node import Node

from steadyhand.robot_envs.robot import RobotError

__all__ = ["RunningGoal"]

_STATUS = {
    GoalStatus.STATUS_ABORTED: "was aborted",
    GoalStatus.STATUS_CANCELED: "was cancelled by another node or the watchdog",
}


class RunningGoal:
    """One goal, from its sending to its end.

    Args:
        node: The node whose callbacks receive the answers.
        client: The action client. The caller must keep it: rclpy cannot destroy one that another thread waits for.
        name: The action's name.
        timeout_s: Time within which a server must be found.

    Raises:
        RobotError: There is no server.
    """

    def __init__(self, node: Node, client: ActionClient, name: str, timeout_s: float) -> None:
        self.failure = ""
        self._node, self._client, self._name = node, client, name
        self._over, self._answered = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._handle: Any = None
        self._must_cancel = False
        if not client.wait_for_server(timeout_sec=timeout_s):
            raise RobotError(f"action {name}: no server; start its controller or correct the profile")

    def send(self, goal: Any) -> None:
        """Send the goal on the callback thread. Elsewhere, an answer could arrive before its future is stored."""

        def now() -> None:
            self._client.send_goal_async(goal).add_done_callback(self._on_answer)

        executor = self._node.executor
        if executor is None:
            raise RobotError(f"action {self._name}: the node is not spun")
        executor.create_task(now)

    @property
    def is_over(self) -> bool:
        """True once the goal has ended, for any reason."""
        return self._over.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the goal's end; return whether it has ended."""
        return self._over.wait(timeout_s)

    def end(self, timeout_s: float) -> None:
        """Cancel the goal if it still runs, and wait for its end.

        Raises:
            RobotError: The goal does not end in time.
        """
        with self._lock:
            self._must_cancel = not self._over.is_set()
            if self._must_cancel and self._handle is not None:
                self._handle.cancel_goal_async()
        if not self._over.wait(timeout_s):
            raise RobotError(
                f"action {self._name}: expected the end of a cancelled goal, found none within {timeout_s} s; "
                "press the emergency stop, then look at the controller"
            )

    def _on_answer(self, answered: Any) -> None:
        handle = answered.result()
        if not handle.accepted:
            self.failure = "refuses the goal; look whether its controller is active and has the joints that are named"
            self._over.set()
            return
        handle.get_result_async().add_done_callback(self._on_end)
        with self._lock:
            self._handle = handle
            if self._must_cancel:
                handle.cancel_goal_async()

    def _on_end(self, ended: Any) -> None:
        answer = ended.result()
        status = int(answer.status)
        if status != GoalStatus.STATUS_SUCCEEDED:
            reason = str(getattr(answer.result, "error_string", "")) or "look at its controller's log"
            self.failure = f"{_STATUS.get(status, f'ended with status {status}')}: {reason}"
        self._over.set()

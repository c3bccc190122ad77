"""The steps of a profile that activate a robot, or recover it from a fault. Only the operator starts them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rclpy.action import ActionClient
from rclpy.node import Node
from std_srvs.srv import Trigger

from actor_ros.controller_manager import controller_fault, list_controllers, switch_to
from actor_ros.packages import MissingPackageError, load_type
from actor_ros.running_goal import RunningGoal
from actor_ros.service_calls import call
from steadyhand.robot_envs.profile_steps import Step
from steadyhand.robot_envs.robot import RobotError

__all__ = ["Steps"]


class Steps:
    """Executor of one robot's steps. Another thread must spin the node.

    Args:
        node: A node in the robot's namespace.
        timeout_s: Limit of each service call.
        send_pose: Sends the controller the measured pose as its target. Raises RobotError.
    """

    def __init__(self, node: Node, timeout_s: float, send_pose: Callable[[], None]) -> None:
        self._node, self._timeout_s, self._send_pose = node, timeout_s, send_pose
        self._taken_once: set[str] = set()
        # The client is kept, because rclpy cannot destroy one while another thread waits for it.
        self._error_recovery: ActionClient | None = None

    def activate(self, steps: tuple[Step, ...]) -> None:
        """Take the steps in order. Steps marked `once` are skipped if taken since the last `recover`.

        Raises:
            RobotError: A step failed; the line names it.
        """
        for number, step in enumerate(steps, start=1):
            if step.once and step.name in self._taken_once:
                continue
            self._take(step, f"activate step {number} of {len(steps)} ({step.name})")
            if step.once:
                self._taken_once.add(step.name)

    def recover(self, steps: tuple[Step, ...]) -> None:
        """Take the steps in order, up to the first failure.

        Raises:
            RobotError: A step failed; the line names it.
        """
        self._taken_once.clear()
        for number, step in enumerate(steps, start=1):
            self._take(step, f"recover step {number} of {len(steps)} ({step.name})")

    def _take(self, step: Step, where: str) -> None:
        takers = {
            "trigger": self._trigger,
            "service": self._call_service,
            "switch_controller": self._switch_controller,
            "franka_error_recovery": self._franka_error_recovery,
        }
        try:
            takers[step.kind](step)
        except MissingPackageError as error:
            raise RobotError(f"{where} failed: {error}") from None
        except RobotError as error:
            raise RobotError(f"{where} failed: {error}; {step.advice}") from None

    def _trigger(self, step: Step) -> None:
        answer = call(self._node, Trigger, step.name, Trigger.Request(), self._timeout_s)
        if answer.success:
            return
        if step.otherwise is None:
            raise RobotError(answer.message or "no reason given")
        second = call(self._node, Trigger, step.otherwise, Trigger.Request(), self._timeout_s)
        if not second.success:
            reasons = [found.message or "no reason given" for found in (answer, second)]
            raise RobotError(f"{reasons[0]}; {step.otherwise}: {reasons[1]}")

    def _call_service(self, step: Step) -> None:
        service = load_type(str(step.type))
        request = service.Request()
        try:
            _fill(request, step.request)
        except (AttributeError, ValueError, TypeError, AssertionError) as error:
            raise RobotError(f"{step.type} has no such request: {error}; correct the profile") from None
        answer = call(self._node, service, step.name, request, self._timeout_s)
        found = {name: getattr(answer, name, None) for name in step.expect}
        if found != step.expect:
            reason = getattr(answer, "message", "")
            raise RobotError(f"expected {step.expect}, found {found}" + (f": {reason}" if reason else ""))

    def _switch_controller(self, step: Step) -> None:
        if not controller_fault(list_controllers(self._node, self._timeout_s), step.name):
            return
        if step.send_pose_first:
            self._send_pose()
        others = switch_to(self._node, step.name, self._timeout_s)
        instead = f" instead of {', '.join(others)}" if others else ""
        self._node.get_logger().info(f"activated {step.name}{instead}")

    def _franka_error_recovery(self, step: Step) -> None:
        action = load_type("franka_msgs/action/ErrorRecovery")
        if self._error_recovery is None:
            self._error_recovery = ActionClient(self._node, action, step.name)
        goal = RunningGoal(self._node, self._error_recovery, step.name, self._timeout_s)
        goal.send(action.Goal())
        if not goal.wait(self._timeout_s):
            raise RobotError(f"not done within {self._timeout_s} s")
        if goal.failure:
            raise RobotError(f"the robot {goal.failure}")


def _fill(message: Any, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            _fill(getattr(message, name), value)
        else:
            setattr(message, name, value)

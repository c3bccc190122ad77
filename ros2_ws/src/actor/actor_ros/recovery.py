"""The steps out of a robot's fault. Only a person starts them."""

from __future__ import annotations

import threading
from typing import Any

from rclpy.action import ActionClient
from rclpy.node import Node
from std_srvs.srv import SetBool, Trigger

from actor_ros.calls import call
from robot_envs.profile import RecoverStep
from robot_envs.robot import RobotError

__all__ = ["recover"]


def recover(node: Node, steps: tuple[RecoverStep, ...], timeout_s: float) -> None:
    """Take the steps in order; the first that fails ends it. Another thread spins the node.

    Raises:
        RobotError: A step failed; the line names it.
    """
    for number, step in enumerate(steps, start=1):
        where = f"recover step {number} of {len(steps)} ({step.name})"
        if step.kind == "trigger":
            _expect(call(node, Trigger, step.name, Trigger.Request(), timeout_s), where)
        elif step.kind == "set_bool":
            _expect(call(node, SetBool, step.name, SetBool.Request(data=True), timeout_s), where)
        elif step.kind == "activate_controller":
            _activate_controller(node, step.name, timeout_s, where)
        else:
            _franka_error_recovery(node, step.name, timeout_s, where)


def _expect(answer: Any, where: str) -> None:
    if not answer.success:
        raise RobotError(f"{where} failed: {answer.message or 'no reason given'}; look at the robot and try again")


def _activate_controller(node: Node, controller: str, timeout_s: float, where: str) -> None:
    try:
        from controller_manager_msgs.srv import SwitchController
    except ImportError:
        raise _missing("controller_manager_msgs", where) from None
    request = SwitchController.Request(
        activate_controllers=[controller],
        deactivate_controllers=[controller],
        strictness=SwitchController.Request.BEST_EFFORT,
    )
    if not call(node, SwitchController, "controller_manager/switch_controller", request, timeout_s).ok:
        raise RobotError(f"{where} failed: the controller manager refuses; look at its log")


def _franka_error_recovery(node: Node, name: str, timeout_s: float, where: str) -> None:
    try:
        from franka_msgs.action import ErrorRecovery
    except ImportError:
        raise _missing("franka_msgs", where) from None
    client = ActionClient(node, ErrorRecovery, name)
    try:
        if not client.wait_for_server(timeout_sec=timeout_s):
            raise RobotError(f"{where}: nobody serves the action; start franka_ros2")
        done = threading.Event()

        def accepted(future: Any) -> None:
            future.result().get_result_async().add_done_callback(lambda _: done.set())

        client.send_goal_async(ErrorRecovery.Goal()).add_done_callback(accepted)
        if not done.wait(timeout_s):
            raise RobotError(f"{where}: not done within {timeout_s} s; unlock the robot and try again")
    finally:
        client.destroy()


def _missing(package: str, where: str) -> RobotError:
    return RobotError(f"{where} needs the package {package}, which is not installed; install it with apt")

"""Requests to ros2_control's controller manager: list the controllers, and switch between them."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node

from actor_ros.packages import load_type
from actor_ros.service_calls import call
from steadyhand.robot_envs.robot import RobotError

__all__ = ["controller_fault", "list_controllers", "switch_to"]

_LIST, _SWITCH = "controller_manager/list_controllers", "controller_manager/switch_controller"
_SWITCH_S = 3


def list_controllers(node: Node, timeout_s: float) -> dict[str, Any]:
    """Return the loaded controllers by name, each a controller_manager_msgs/msg/ControllerState.

    Raises:
        MissingPackageError: controller_manager_msgs is not installed.
        RobotError: The controller manager does not answer.
    """
    service = load_type("controller_manager_msgs/srv/ListControllers")
    return {str(c.name): c for c in call(node, service, _LIST, service.Request(), timeout_s).controller}


def controller_fault(controllers: dict[str, Any], name: str) -> str:
    """Return why a controller does not run, as the start of a line; "" if it runs."""
    if name not in controllers:
        return f"controller {name}: expected it to be active, found that it is not loaded"
    state = controllers[name].state
    return "" if state == "active" else f"controller {name}: expected it to be active, found {state}"


def switch_to(node: Node, name: str, timeout_s: float) -> list[str]:
    """Activate a controller, and deactivate the active controllers that command any of its joints.

    A joint takes one kind of command at a time, so a controller with another kind of command conflicts as well.

    Returns:
        The deactivated controllers.

    Raises:
        MissingPackageError: controller_manager_msgs is not installed.
        RobotError: The controller is not loaded, or the controller manager refuses.
    """
    controllers = list_controllers(node, timeout_s)
    if name not in controllers:
        raise RobotError(
            f"it is not loaded; ros2 run controller_manager spawner {name} --inactive, with its parameter file"
        )
    joints = _joints(controllers[name].required_command_interfaces)
    others = [
        str(other.name)
        for other in controllers.values()
        if other.name != name and other.state == "active" and joints & _joints(other.claimed_interfaces)
    ]
    service = load_type("controller_manager_msgs/srv/SwitchController")
    request = service.Request(
        activate_controllers=[name], deactivate_controllers=others, strictness=service.Request.STRICT
    )
    request.timeout.sec = _SWITCH_S
    answer = call(node, service, _SWITCH, request, timeout_s + _SWITCH_S)
    if not answer.ok:
        reason = getattr(answer, "message", "") or "look at its log"
        instead = f" instead of {', '.join(others)}" if others else ""
        raise RobotError(f"the controller manager refuses to activate it{instead}: {reason}")
    return others


def _joints(interfaces: list[str]) -> set[str]:
    return {str(interface).rpartition("/")[0] for interface in interfaces}

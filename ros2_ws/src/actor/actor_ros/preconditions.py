"""The external preconditions of a profile, checked in the background and before motion is enabled."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters
from rclpy.node import Node

from actor_ros.controller_manager import controller_fault, list_controllers
from actor_ros.packages import MissingPackageError
from actor_ros.service_calls import call
from steadyhand.robot_envs.profile import ControllerProfile
from steadyhand.robot_envs.profile_steps import Check
from steadyhand.robot_envs.robot import RobotError

__all__ = ["Preconditions"]

_CALL_S = 1.0
_PERIOD_S = {False: 1.0, True: 0.25}  # shorter while the arm may move, to report an ended controller soon


class Preconditions:
    """The checks of one profile. While the arm may move, they include that its switched controllers stay active.

    Args:
        node: A node in the robot's namespace. Another thread must spin it; that thread never runs the checks.
        profile: The profile with the checks, and with the controllers that its `activate` steps switch to.
        may_move: Returns whether the operator allows motion by the switched controllers; False during homing.
    """

    def __init__(self, node: Node, profile: ControllerProfile, may_move: Callable[[], bool]) -> None:
        self._node, self._checks, self._may_move = node, profile.checks, may_move
        self._switched = tuple(
            Check("controller_active", step.name, "enable again, which activates it")
            for step in profile.activate
            if step.kind == "switch_controller"
        )
        self.objection = "the preconditions were not looked at yet; try again in a second" if self._checks else ""
        self.denial = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="preconditions", daemon=True)

    def start(self) -> None:
        """Start a thread that repeats the checks."""
        if self._checks or self._switched:
            self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(2 * _CALL_S)

    def look(self, with_switched: bool) -> str:
        """Run all checks now.

        Args:
            with_switched: Whether the controllers that `activate` switches to must be active as well.

        Returns:
            The first failed condition as one line, also kept as `objection`; "" if all hold. A failure by an actual
            answer, rather than by a timeout, is kept as `denial`.
        """
        self.objection, self.denial = self._find(with_switched)
        return self.objection

    def _find(self, with_switched: bool) -> tuple[str, str]:
        """Return the objection and the denial."""
        denial = objection = ""
        controllers: dict[str, Any] | None = None
        for check in (*self._checks, *(self._switched if with_switched else ())):
            try:
                if check.kind == "controller_active" and controllers is None:
                    controllers = list_controllers(self._node, _CALL_S)
                if denial := self._fault(check, controllers or {}):
                    objection = denial = f"{denial}; {check.advice}"
                    break
            except MissingPackageError:
                continue  # a stopped controller shows as a silent source, or the arm does not follow
            except RobotError as error:
                objection = objection or f"{error}; {check.advice}"
        return objection, denial

    def _watch(self) -> None:
        while not self._ended.is_set():
            is_moving = self._may_move()
            found = self._find(is_moving)
            # A controller that homing or the operator switched off meanwhile is no fault.
            if is_moving == self._may_move():
                self.objection, self.denial = found
            self._ended.wait(_PERIOD_S[is_moving])

    def _fault(self, check: Check, controllers: dict[str, Any]) -> str:
        if check.kind == "controller_active":
            return controller_fault(controllers, check.name)
        return self._parameter_fault(check) if check.kind == "parameter" else self._subscriber_fault(check)

    def _parameter_fault(self, check: Check) -> str:
        question = GetParameters.Request(names=[str(check.parameter)])
        values = call(self._node, GetParameters, f"{check.name}/get_parameters", question, _CALL_S).values
        found = _value(values[0]) if values else None
        if isinstance(found, float) and isinstance(check.value, (int, float)):
            is_same = math.isclose(found, check.value)
        else:
            is_same = found == check.value
        return "" if is_same else f"{check.name}: expected {check.parameter} {check.value!r}, found {found!r}"

    def _subscriber_fault(self, check: Check) -> str:
        topic = self._node.resolve_topic_name(check.name)
        nodes = [str(info.node_name) for info in self._node.get_subscriptions_info_by_topic(topic)]
        return "" if check.by in nodes else f"{check.name}: expected {check.by} to subscribe to it, and it does not"


def _value(value: ParameterValue) -> Any:
    kinds = {
        ParameterType.PARAMETER_BOOL: "bool_value",
        ParameterType.PARAMETER_INTEGER: "integer_value",
        ParameterType.PARAMETER_DOUBLE: "double_value",
        ParameterType.PARAMETER_STRING: "string_value",
    }
    return getattr(value, kinds[value.type]) if value.type in kinds else None

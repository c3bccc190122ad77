"""The gain sets of a profile: set as parameters of the controller, read back, and compared."""

from __future__ import annotations

import math

from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParametersAtomically
from rclpy.node import Node

from actor_ros.service_calls import call
from steadyhand.robot_envs.robot import RobotError

__all__ = ["set_gains"]


def set_gains(node: Node, controller: str, gains: dict[str, float], timeout_s: float) -> dict[str, float]:
    """Set the gains of a controller and return the values that it reports. Another thread must spin the node.

    Raises:
        RobotError: The controller refuses, does not answer, or reports different gains.
    """
    request = SetParametersAtomically.Request()
    request.parameters = [
        Parameter(name=name, value=ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=float(value)))
        for name, value in gains.items()
    ]
    answer = call(node, SetParametersAtomically, f"{controller}/set_parameters_atomically", request, timeout_s)
    if not answer.result.successful:
        raise RobotError(f"{controller} refuses the gains: {answer.result.reason}; correct robot.profile.gains")
    question = GetParameters.Request(names=list(gains))
    values = call(node, GetParameters, f"{controller}/get_parameters", question, timeout_s).values
    found = {
        name: float(value.double_value) if value.type == ParameterType.PARAMETER_DOUBLE else math.nan
        for name, value in zip(gains, values, strict=False)
    }
    for name, wanted in gains.items():
        if not math.isclose(found.get(name, math.nan), wanted, rel_tol=1e-6):
            raise RobotError(
                f"{controller}.{name}: expected {wanted:g} after setting it, found {found.get(name, math.nan):g}; "
                "another node sets gains too, or the controller clips them"
            )
    return found

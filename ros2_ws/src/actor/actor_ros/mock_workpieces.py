"""The workpieces of the mock robot behind ROS 2: it replaces an operator's hands at a real cell."""

from __future__ import annotations

from collections.abc import Callable

from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from sensor_msgs.msg import MultiDOFJointState

from actor_ros import conversions, qos
from actor_ros.service_calls import call
from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.robot import RobotError
from steadyhand.runtime.clock import MonotonicClock

__all__ = ["MockWorkpieces"]

_ANSWER_S = 5.0
_POLL_NS = 1_000_000
_NS = 1_000_000_000


class MockWorkpieces:
    """Client of the mock-only topics and of the parameter that begins an episode.

    Args:
        node: The node; another thread must spin it.
        base_frame: Frame of the poses.
    """

    def __init__(self, node: Node, base_frame: str) -> None:
        self._node, self._frame = node, base_frame
        self._clock = MonotonicClock()
        self._requests = 0
        self._poses: dict[str, Array] = {}
        self._done = -1
        self._publisher = node.create_publisher(MultiDOFJointState, "mock_robot/workpieces", qos.profile("event"))
        node.create_subscription(
            MultiDOFJointState, "mock_robot/workpieces_state", self._on_state, qos.profile("sensor")
        )

    def begin(self, seed: int) -> None:
        """Reseed the mock's noise; the arm stays where it is. Raises RobotError if there is no mock."""
        value = ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=seed)
        request = SetParameters.Request(parameters=[Parameter(name="episode_seed", value=value)])
        answer = call(self._node, SetParameters, "mock_robot/set_parameters", request, _ANSWER_S)
        if not answer.results[0].successful:
            raise RobotError(f"mock_robot refuses a new episode: {answer.results[0].reason}")

    def place(self, name: str, pose_: Array) -> None:
        """Place a workpiece at a pose (7,), and wait until it is there."""
        self._wait(
            lambda: bool(self._poses) and self._publisher.get_subscription_count() > 0, "mock_robot/workpieces_state"
        )
        if name not in self._poses:
            raise KeyError(f"workpiece: expected one of {', '.join(self._poses)}, found {name!r}")
        self._requests = max(self._requests + 1, self._clock.now_ns())
        stamp = conversions.stamp_from_ns(self._requests)
        self._publisher.publish(conversions.poses_from_arrays({name: pose_}, self._frame, stamp))
        self._wait(lambda: self._done == self._requests, f"mock_robot to place {name}")

    def set_position(self, name: str, position: float) -> None:
        """Raise KeyError: the mock's topics carry poses alone."""
        raise KeyError(f"workpiece {name!r}: expected one without a joint behind ROS 2; use robot=mock")

    def position_of(self, name: str) -> float:
        """Raise KeyError: the mock's topics carry poses alone."""
        raise KeyError(f"workpiece {name!r}: expected one without a joint behind ROS 2; use robot=mock")

    def pose_of(self, name: str) -> Array:
        """Return the pose (7,) of a workpiece. Raises KeyError for a name that is not a workpiece."""
        return self._poses[name]

    def _on_state(self, message: MultiDOFJointState) -> None:
        self._poses = conversions.poses_to_arrays(message)
        self._done = conversions.stamp_to_ns(message.header.stamp)

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        until_ns = self._clock.now_ns() + round(_ANSWER_S * _NS)
        while not condition():
            if self._clock.now_ns() > until_ns:
                raise RobotError(f"not within {_ANSWER_S:.0f} s: {what}; is the mock robot's node running?")
            self._clock.sleep_until(self._clock.now_ns() + _POLL_NS)

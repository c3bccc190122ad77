"""The actor's hardware over ROS 2, built from a configuration: arm, cameras, workpieces, device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from std_srvs.srv import Trigger

from actor_ros.gains import set_gains
from actor_ros.homing import Homing
from actor_ros.joy_device import JoyConfig, make_joy
from actor_ros.latest_readings import LatestReadings
from actor_ros.mock_workpieces import MockWorkpieces
from actor_ros.parameters import robot_config
from actor_ros.preconditions import Preconditions
from actor_ros.recovery import Steps
from actor_ros.robot_link import RobotLink
from actor_ros.ros_camera import RosCamera, RosCameraConfig
from actor_ros.ros_clock import RosClock
from actor_ros.ros_robot import RosRobot
from actor_ros.service_calls import call
from steadyhand.robot_envs.devices.device import Device
from steadyhand.robot_envs.devices.make import held_by_person, is_over_ros, make_device
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.robot_envs.sensor import find_sensor
from steadyhand.robot_envs.workpieces import NotedWorkpieces, Workpieces
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.calibration_settings import CalibrationSettings
from steadyhand.runtime.clock import MonotonicClock

__all__ = ["CALL_S", "PASSES_ON_S", "RosHardware"]

CALL_S = 5.0  # limit of one service call
PASSES_ON_S = 1.0  # limit until a service's answer is also visible on its topic
_NS = 1_000_000_000


class RosHardware:
    """The topics of one arm and its cell. It subscribes on construction, and moves nothing by itself.

    Args:
        node: The node; another thread must run its callbacks.
        config: The configuration that `compose` returned.
        may_move: Returns whether the operator allows motion.
        on_fault: Called whenever the robot reports a fault.

    Raises:
        ConfigError: The robot is not behind ROS 2, or its values are inconsistent.
        ImportError: A package with a message type of the robot is not installed.
    """

    def __init__(
        self, node: Node, config: dict[str, Any], may_move: Callable[[], bool], on_fault: Callable[[], None]
    ) -> None:
        if config["task"].get("kind") != "robot":
            raise ConfigError("task: expected one for an arm, such as reach, found a gymnasium environment")
        self.profile = robot_config(config).profile
        self.is_mock = "mock_node" in config["robot"]
        self.clock = RosClock(node)
        self.sources = LatestReadings(self.clock, self.clock.stands)
        self.link = RobotLink(node, self.profile, self.sources, on_fault)
        self.gains: dict[str, float] = {}
        self._node, self._wall = node, MonotonicClock()
        limits = build(SafetyLimits, config["safety"], "safety")
        period_s = float(config["task"]["drive"]["control_period_s"])
        homing = None
        if self.profile.homing is not None:
            homing = Homing(node, self.profile.homing, self.link, limits, period_s, self.clock)
        self.preconditions = Preconditions(
            node, self.profile, lambda: may_move() and not (homing is not None and homing.is_away)
        )
        self.robot = RosRobot(
            self.link,
            limits,
            period_s,
            self.clock,
            self._set_gains,
            may_move,
            homing,
            lambda: self.preconditions.denial,
        )
        self.steps = Steps(node, CALL_S, self.robot.send_measured_pose)
        image_s = self.profile.max_age.image_s
        self.cameras = [
            RosCamera(node, build(RosCameraConfig, {"name": name, **view}, f"camera.{name}"), self.sources, image_s)
            for name, view in config["camera"]["views"].items()
        ]
        self.sensors = [
            find_sensor(name, values).make(name, None) for name, values in config["sensor"]["fields"].items()
        ]
        self._pictures = build(CalibrationSettings, config["calibration"], "calibration").pictures
        self.workpieces: Workpieces = NotedWorkpieces()
        if self.is_mock:
            self.workpieces = MockWorkpieces(node, self.profile.base_frame)
        self.device = _make_device(node, config["device"])

    def hardware(self) -> Hardware:
        """The hardware objects for the environment."""
        return Hardware(self.robot, self.cameras, self.workpieces, self.clock, False, None, self.sensors)

    def whole_picture(self, name: str, patience_s: float) -> NDArray[np.uint8]:
        """Return a camera's next image without the view's crop, at the size of `calibration.pictures`.

        Args:
            name: Name of the view.
            patience_s: Time to wait for the image [s].

        Raises:
            CameraError: No image comes in time.
        """
        camera = next(camera for camera in self.cameras if camera.name == name)
        return camera.whole_picture(self._pictures.height, self._pictures.width, patience_s)

    def fault(self) -> str:
        """Return why the robot cannot be driven, as one line; "" if it can. Never waits."""
        if frame := self.link.frame_fault:
            return frame
        reason = self.preconditions.objection
        return (self.sources.objection(reason) if reason else self.sources.objection()) or reason

    def make_follow(self) -> str:
        """Make the robot follow commands: rearm the watchdog, take the `activate` steps, check again.

        Returns:
            Why the robot does not follow; "" if it does.

        Raises:
            RobotError: A step failed, or the watchdog does not answer.
        """
        if objection := self._rearm():
            return objection
        self.steps.activate(self.profile.activate)
        return self.preconditions.look(with_switched=True)

    def _rearm(self) -> str:
        """Make the watchdog forget its target and its latched stop; return why it still holds, "" if it does not."""
        until_ns = self._wall.now_ns() + round(PASSES_ON_S * _NS)
        # The watchdog may learn a moment later than the actor that the fault is gone.
        while not (answer := call(self._node, Trigger, "watchdog/rearm", Trigger.Request(), CALL_S)).success:
            if self._wall.now_ns() > until_ns:
                return f"the watchdog holds: {answer.message}"
            self._wall.sleep_until(self._wall.now_ns() + _NS // 50)
        while self.link.watchdog_stop and self._wall.now_ns() < until_ns:
            self._wall.sleep_until(self._wall.now_ns() + _NS // 100)
        return ""

    def destroy(self) -> None:
        """End the threads of cameras and preconditions."""
        self.preconditions.close()
        for camera in self.cameras:
            camera.destroy()

    def _set_gains(self, name: Literal["precision", "compliance"]) -> None:
        gains = self.profile.gains
        if gains is not None:
            self.gains = set_gains(self._node, gains.node, getattr(gains, name), CALL_S)


def _make_device(node: Node, values: dict[str, Any]) -> Device | None:
    """Return the person's device, not yet connected; None without one."""
    if is_over_ros(values):
        return make_joy(node, build(JoyConfig, values, "device"), MonotonicClock())
    return make_device(values) if held_by_person(values) else None

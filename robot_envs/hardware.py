"""The contract of a robot component: the hardware for a task, constructed from one `robot` group.

A robot is one file here, or in a package of the user's own, and one YAML file in `configs/robot/`, whose `entry_point`
names a class derived from `RobotSetup`. A robot behind ROS 2 (`kind: ros`) needs no class: the ROS 2 actor constructs
its `Hardware` from the profile.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from steadyhand.robot_envs.camera import Camera
from steadyhand.robot_envs.permission import Permission
from steadyhand.robot_envs.robot import Robot
from steadyhand.robot_envs.sensor import Sensor
from steadyhand.robot_envs.workpieces import Workpieces
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.clock import Clock
from steadyhand.runtime.component import Component, find_component

__all__ = ["Hardware", "RobotSetup", "find_camera", "find_robot", "is_behind_ros"]

ENTRY_POINT = "entry_point"
COMMON = ("joint_limits", "name")  # keys of every robot group that other code reads: safety.joints and identity


@dataclass(frozen=True)
class Hardware:
    """Robot, cameras and sensors for a task, with their workpieces and clock.

    Attributes:
        robot: The robot, not yet connected.
        cameras: The cameras, not yet connected.
        workpieces: Arranges the workpieces.
        clock: Drives the control period, and stamps the readings of robot, cameras and sensors.
        lockstep: True if the clock is simulated, and stands still between steps.
        world: The simulated world that cameras and sensors read; None for a real robot.
        sensors: The sensors, not yet connected.
        permission: The permission that a calibration needs before it moves the arm; None = its start is the permission.
    """

    robot: Robot
    cameras: Sequence[Camera]
    workpieces: Workpieces
    clock: Clock
    lockstep: bool
    world: object = None
    sensors: Sequence[Sensor] = ()
    permission: Permission | None = None


class RobotSetup(ABC):
    """Factory of one robot and its surroundings. Constructing the factory checks the settings and opens nothing.

    Args:
        settings: Instance of the class's `settings_type`.
        scene: The workpieces that the task describes; a real robot ignores them.

    Attributes:
        settings_type: The dataclass that the YAML file of the robot is read into, without `joint_limits` and `name`.
        name: Short name, for messages.
        simulated: True if the arm is simulated in this process.
        n_arms: Number of arms.
        cameras: Names of the simulated cameras; () for a real robot.
        camera: Camera class of a view without `entry_point`; None if every view has to name its class.
    """

    settings_type: ClassVar[type[Any]]
    name: ClassVar[str]
    simulated: ClassVar[bool] = False
    n_arms: ClassVar[int] = 1
    cameras: ClassVar[tuple[str, ...]] = ()
    camera: ClassVar[type[Camera] | None] = None

    @abstractmethod
    def make(self) -> Hardware:
        """Construct the robot, its workpieces and its clock, without cameras and sensors. Nothing is connected.

        Raises:
            ConfigError: This machine does not meet the robot's requirements.
        """


def is_behind_ros(values: Mapping[str, Any]) -> bool:
    """Return whether a `robot` group is for the ROS 2 actor."""
    return values.get("kind") == "ros"


def find_robot(values: Mapping[str, Any]) -> Component[RobotSetup]:
    """Find the class that a `robot` group names, and build its settings. `make(scene)` then constructs it.

    Raises:
        ConfigError: The robot is behind ROS 2, the group names no class, or a setting is wrong.
    """
    if is_behind_ros(values):
        raise ConfigError(
            "robot.kind: expected a robot without ROS, such as robot=mock, found ros; start it with "
            "ros2 launch actor robot.launch.py, see docs/ros.md"
        )
    own = {name: value for name, value in values.items() if name not in COMMON}
    return find_component(own, RobotSetup, "robot")  # type: ignore[type-abstract]


def find_camera(name: str, view: Mapping[str, Any], robot: type[RobotSetup]) -> Component[Camera]:
    """Find the class of one view, and build its settings. `make(name, world)` then constructs the camera.

    Args:
        name: Name of the view.
        view: Its values in the group `camera`; without `entry_point` the camera class is that of the robot.
        robot: The robot's class.

    Raises:
        ConfigError: Neither view nor robot names a class, or a setting is wrong.
    """
    where = f"camera.views.{name}"
    if ENTRY_POINT not in view and robot.camera is not None:
        return Component(robot.camera, build(robot.camera.settings_type, view, where))
    return find_component(view, Camera, where)  # type: ignore[type-abstract]

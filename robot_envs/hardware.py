"""The contract of a robot component: the hardware that a task is done with, made from one `robot` group.

A robot is one file here, or in a package of the user's own, and one YAML file in `configs/robot/`, whose `entry_point`
names a class derived from `RobotSetup`. A robot behind ROS 2 (`kind: ros`) needs no class: the ROS 2 actor makes its
`Hardware` from the profile.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from steadyhand.robot_envs.camera import Camera
from steadyhand.robot_envs.robot import Robot
from steadyhand.robot_envs.sensor import Sensor
from steadyhand.robot_envs.stage import Stage
from steadyhand.runtime.clock import Clock
from steadyhand.runtime.component import Component, find_component
from steadyhand.runtime.config import ConfigError, build

__all__ = ["Hardware", "RobotSetup", "find_camera", "find_robot", "is_behind_ros"]

ENTRY_POINT = "entry_point"
COMMON = ("joint_limits", "name")  # keys of every robot group that others take over: safety.joints and identity


@dataclass(frozen=True)
class Hardware:
    """What a task is done with.

    Attributes:
        robot: Not yet connected.
        cameras: Not yet connected.
        stage: Arranges the workpieces.
        clock: Drives the control period, and stamps what robot, cameras and sensors say.
        lockstep: The clock is simulated, and stands still between steps.
        world: Where the robot is simulated: the object that its cameras and sensors look into; None for a real one.
        sensors: Not yet connected.
    """

    robot: Robot
    cameras: Sequence[Camera]
    stage: Stage
    clock: Clock
    lockstep: bool
    world: object = None
    sensors: Sequence[Sensor] = ()


class RobotSetup(ABC):
    """Makes one robot and its surroundings. Constructing it checks the settings and opens nothing.

    Args:
        settings: Of the class's `settings_type`.
        scene: The workpieces that the task describes; a real robot ignores it.

    Attributes:
        settings_type: The dataclass that the YAML file of the robot is read into, without `joint_limits` and `name`.
        name: Short name, for messages.
        simulated: Whether the arm is simulated in this process.
        camera: Class of a view that names none; None where every view names its class.
    """

    settings_type: ClassVar[type[Any]]
    name: ClassVar[str]
    simulated: ClassVar[bool] = False
    camera: ClassVar[type[Camera] | None] = None

    @abstractmethod
    def make(self) -> Hardware:
        """Make the robot, its stage and its clock, with no cameras and sensors yet; nothing is connected.

        Raises:
            ConfigError: This machine lacks what the robot needs.
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
        name: Of the view.
        view: Its values in the group `camera`; without `entry_point` the camera is of the robot's own class.
        robot: The robot's class.

    Raises:
        ConfigError: Neither names a class, or a setting is wrong.
    """
    where = f"camera.views.{name}"
    if ENTRY_POINT not in view and robot.camera is not None:
        return Component(robot.camera, build(robot.camera.settings_type, view, where))
    return find_component(view, Camera, where)  # type: ignore[type-abstract]

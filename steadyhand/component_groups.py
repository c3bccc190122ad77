"""The groups of the configuration whose class depends on their kind: task, robot, camera, sensor, device and reward.

Reading one raises a ConfigError when a key is unknown or a setting is wrong; the line names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steadyhand.robot_envs.camera import Camera, ViewConfig
from steadyhand.robot_envs.devices.device import InputSource
from steadyhand.robot_envs.devices.make import find_input, is_over_ros
from steadyhand.robot_envs.gym_config import GymTaskConfig
from steadyhand.robot_envs.hardware import RobotSetup, find_camera, find_robot, is_behind_ros
from steadyhand.robot_envs.make import RobotTaskConfig
from steadyhand.robot_envs.mock.gap import GapConfig
from steadyhand.robot_envs.profile import ControllerProfile, RosRobotConfig
from steadyhand.robot_envs.rewards.reward import Reward, find_reward
from steadyhand.robot_envs.sensor import Sensor, find_sensor
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.component import ENTRY_POINT, Component

__all__ = ["CameraSettings", "RawGroup", "RobotSettings", "SensorSettings", "check_gap", "check_keys", "mapping"]
__all__ += ["read_camera", "read_device", "read_reward", "read_robot", "read_sensor", "read_task"]

ROS_KEYS = ("kind", "profile")
LIMITS = ("joint_limits", "name")  # of the arm: limits that safety adopts, and the name in a run's identity
OURS = "steadyhand."  # prefix of the entry points of the product's own components
MOCK_KEYS = ("entry_point", "world", "imperfections", "gap")  # of the simulated arm behind a mock robot's node
NODE_KEYS = (*MOCK_KEYS, "mock_node")  # of a mock robot behind ROS


@dataclass(frozen=True)
class RawGroup:
    """A composed group whose class only another program imports.

    Examples are a device over ROS, and a user's own reward, which is imported only beside the robot.
    """

    values: Mapping[str, Any]


@dataclass(frozen=True)
class RobotSettings:
    """The group `robot`.

    Attributes:
        setup: The robot's class with its settings; of a mock robot behind ROS 2 the simulated arm. None for a real
            robot behind ROS 2.
        profile: Profile of a robot behind ROS 2; None for a robot of this process.
    """

    setup: Component[RobotSetup] | None
    profile: ControllerProfile | None


@dataclass(frozen=True)
class CameraSettings:
    """The group `camera`: views by name; of a robot behind ROS 2 the keys that this process reads."""

    views: Mapping[str, Component[Camera] | ViewConfig]


@dataclass(frozen=True)
class SensorSettings:
    """The group `sensor`: sensors by the name of their field in the observation."""

    fields: Mapping[str, Component[Sensor]]


def read_task(config: Mapping[str, Any]) -> RobotTaskConfig | GymTaskConfig:
    """Read the group `task`."""
    task = mapping(config, "task")
    if task.get("kind") == "gym":
        return build(GymTaskConfig, task, "task")
    return build(RobotTaskConfig, task, "task")


def read_robot(config: Mapping[str, Any]) -> RobotSettings:
    """Read the group `robot`, and check the scene of the task on a robot of this process."""
    robot, task = mapping(config, "robot"), mapping(config, "task")
    scene = task.get("scene", {"tool": None, "fixtures": {}, "objects": {}})
    profile: ControllerProfile | None = None
    setup: Component[RobotSetup] | None = None
    if not is_behind_ros(robot):
        setup = find_robot(robot)
    else:
        check_keys(robot, "robot.", (*ROS_KEYS, *LIMITS, *(NODE_KEYS if "mock_node" in robot else ())))
        profile = build(RosRobotConfig, {key: robot.get(key) for key in ROS_KEYS}, "robot").profile
        if "mock_node" in robot:
            setup = find_robot({key: robot.get(key) for key in MOCK_KEYS if key in robot})
    if setup is not None:
        setup.make(scene)  # checks the scene without opening the robot
    return RobotSettings(setup, profile)


def check_gap(gap: GapConfig, task: RobotTaskConfig | GymTaskConfig, robot: Mapping[str, Any]) -> None:
    """Refuse a gap between a simulated cell and its description where no cell is simulated."""
    if not gap.is_none and (isinstance(task, GymTaskConfig) or robot.get("gap") is None):
        found = "task=gym" if isinstance(task, GymTaskConfig) else f"robot {robot.get('name')}, which has no gap"
        raise ConfigError(f"gap: expected a simulated arm, such as robot=mock, found {found}; give gap=none")


def read_camera(config: Mapping[str, Any], robot: RobotSettings) -> CameraSettings:
    """Read the group `camera` of a robot."""
    camera = mapping(config, "camera")
    check_keys(camera, "camera.", ("views",))
    views: dict[str, Component[Camera] | ViewConfig] = {}
    for name in mapping(camera, "views", "camera."):
        values = mapping(camera["views"], name, "camera.views.")
        if robot.profile is None:
            assert robot.setup is not None
            views[name] = find_camera(name, values, robot.setup.type)
        else:
            shared = {key: values[key] for key in ("height", "width", "crop", "latency_s") if key in values}
            views[name] = build(ViewConfig, shared, f"camera.views.{name}")
    return CameraSettings(views)


def read_sensor(config: Mapping[str, Any]) -> SensorSettings:
    """Read the group `sensor`."""
    sensor = mapping(config, "sensor")
    check_keys(sensor, "sensor.", ("fields",))
    fields = mapping(sensor, "fields", "sensor.")
    return SensorSettings({name: find_sensor(name, mapping(fields, name, "sensor.fields.")) for name in fields})


def read_device(config: Mapping[str, Any]) -> Component[InputSource] | RawGroup:
    """Read the group `device`; that of a device over ROS stays as it is."""
    device = mapping(config, "device")
    return RawGroup(device) if is_over_ros(device) else find_input(device)


def read_reward(config: Mapping[str, Any]) -> Component[Reward] | RawGroup:
    """Read the group `reward`; that of a user's own reward stays as it is."""
    reward = mapping(config, "reward")
    entry_point = reward.get("entry_point")
    if str(entry_point).startswith(OURS):
        return find_reward(reward)
    if ENTRY_POINT.fullmatch(str(entry_point)) is None:
        raise ConfigError(f"reward.entry_point: expected package.module:Class, found {entry_point!r}")
    return RawGroup(reward)


def mapping(config: Mapping[str, Any], name: str, where: str = "") -> Mapping[str, Any]:
    """Return the group `name`; `where` is the path of `config` in messages."""
    value = config.get(name)
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}{name}: expected a mapping of keys, found {value!r}")
    return value


def check_keys(values: Mapping[str, Any], where: str, known: Sequence[str]) -> None:
    """Refuse an unknown key; `where` is the path of `values` in messages."""
    for key in values:
        if key not in known:
            raise ConfigError(f"{where}{key}: unknown key; valid keys: {', '.join(known)}")

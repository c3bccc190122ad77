"""The whole configuration, checked before anything is made of it: every group, every key, every number.

Needs no torch and no learner: a machine that deploys a policy has neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steadyhand.actor.config import ActorConfig, LoggingConfig
from steadyhand.robot_envs.camera import WHOLE, Crop
from steadyhand.robot_envs.devices.make import PERSONS, held_by_person, make_device
from steadyhand.robot_envs.gym_env import GymTaskConfig
from steadyhand.robot_envs.make import RobotTaskConfig, ScriptedDeviceConfig
from steadyhand.robot_envs.mock.config import MockRobotConfig, RenderedCameraConfig, WorldConfig
from steadyhand.robot_envs.profile import RosRobotConfig
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.runtime.config import ConfigError, build, compose
from steadyhand.runtime.logging import quoted
from steadyhand.runtime.ranges import expect_at_least
from steadyhand.transport.config import TransportConfig

__all__ = ["check_overrides", "check_settings", "composed", "run_root"]

GROUPS: dict[str, type[Any]] = {
    "actor": ActorConfig,
    "transport": TransportConfig,
    "logging": LoggingConfig,
    "safety": SafetyLimits,
}
SPECIAL = ("task", "robot", "camera", "device")  # which dataclass they fit depends on their kind
IN_PROFILE = ("gripper", "homing")  # stand in the robot's profile too, and are checked there
LEARNING = ("policy", "algo", "learner", "demo")  # checked where there is a learner
ROOT = ("seed", "run_root", "run_name")
RUN = ("run_root", "run_name")  # what chooses a run folder, and nothing else
ROS_KEYS = ("kind", "profile")
MOCK_KEYS = ("kind", "world", "imperfections")
LIMITS = ("joint_limits", "name")  # of the arm: what safety takes over, and what it is called in a run's identity
NODE_KEYS = ("world", "imperfections", "mock_node")  # of a mock robot behind ROS


@dataclass(frozen=True)
class ViewConfig:
    """What every camera's view has; a real one may have more."""

    height: int
    width: int
    crop: Crop = WHOLE

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "height", "width")


def composed(overrides: Sequence[str]) -> dict[str, Any]:
    """Compose the configuration and check what a machine beside the robot needs.

    Raises:
        ConfigError: Something in it is wrong; the line names it.
    """
    config = compose(overrides)
    check_settings(config)
    return config


def check_settings(config: Mapping[str, Any], groups: Mapping[str, type[Any]] = GROUPS) -> None:
    """Check every key and number of a composed configuration, without importing a task's code.

    Args:
        config: As `compose` returns it.
        groups: The dataclass of each group that is checked whole.

    Raises:
        ConfigError: A group is missing, a key is unknown, or a number is out of its range.
    """
    known = (*GROUPS, *SPECIAL, *IN_PROFILE, *LEARNING, *ROOT)
    _check_keys(config, "", known)
    for name in known:
        if name not in config:
            raise ConfigError(f"{name}: expected a value, found none; do not remove it with ~{name}")
    seed = config["seed"]
    if type(seed) is not int or seed < 0:
        raise ConfigError(f"seed: expected a whole number of at least 0, found {seed!r}")
    run_root(config)
    for name, settings in groups.items():
        build(settings, config[name], name)
    _check_task(_mapping(config, "task"))
    _check_robot(_mapping(config, "robot"), _mapping(config, "task"))
    _check_camera(_mapping(config, "camera"), is_mock=config["robot"].get("kind") == "mock")
    _check_device(_mapping(config, "device"))


def run_root(config: Mapping[str, Any]) -> Path:
    """Return the folder of the runs.

    Raises:
        ConfigError: It is none.
    """
    root = config["run_root"]
    if not isinstance(root, str) or not root:
        raise ConfigError(f"run_root: expected a folder, found {root!r}")
    return Path(root)


def check_overrides(overrides: Sequence[str], verb: str, allowed: Sequence[str] = RUN) -> None:
    """Refuse an override that `verb` would not look at.

    Raises:
        ConfigError: It is there.
    """
    for override in overrides:
        if override.partition("=")[0].lstrip("+~") not in allowed:
            expected = f"only {' and '.join(f'{name}=...' for name in allowed)}" if allowed else "no overrides"
            raise ConfigError(f"{verb}: expected {expected}, found {quoted(override)}")


def _check_task(task: Mapping[str, Any]) -> None:
    if task.get("kind") == "gym":
        build(GymTaskConfig, task, "task")
    else:
        build(RobotTaskConfig, task, "task")


def _check_robot(robot: Mapping[str, Any], task: Mapping[str, Any]) -> None:
    kind = robot.get("kind")
    if kind not in ("mock", "ros"):
        raise ConfigError(f"robot.kind: expected mock or ros, found {kind!r}")
    if kind == "ros":
        _check_keys(robot, "robot.", (*ROS_KEYS, *LIMITS, *(NODE_KEYS if "mock_node" in robot else ())))
        build(RosRobotConfig, {key: robot.get(key) for key in ROS_KEYS}, "robot")
    else:
        _check_keys(robot, "robot.", (*MOCK_KEYS, *LIMITS))
    if kind == "mock" or "mock_node" in robot:
        empty: dict[str, Any] = {"tool": None, "fixtures": {}, "objects": {}}
        world = {**_mapping(robot, "world", "robot."), "scene": task.get("scene", empty)}
        build(WorldConfig, world, "robot.world")
        build(MockRobotConfig, _mapping(robot, "imperfections", "robot."), "robot.imperfections")


def _check_camera(camera: Mapping[str, Any], is_mock: bool) -> None:
    _check_keys(camera, "camera.", ("views",))
    for name in _mapping(camera, "views", "camera."):
        where = f"camera.views.{name}"
        values = _mapping(camera["views"], name, "camera.views.")
        if is_mock:
            build(RenderedCameraConfig, {"name": name, **values}, where)
        else:
            build(ViewConfig, {key: values[key] for key in ("height", "width", "crop") if key in values}, where)


def _check_device(device: Mapping[str, Any]) -> None:
    if not held_by_person(device):
        build(ScriptedDeviceConfig, device, "device")
    elif device["kind"] in PERSONS:  # another one is made by the ROS 2 actor alone, which checks it
        make_device(device)


def _mapping(config: Mapping[str, Any], name: str, where: str = "") -> Mapping[str, Any]:
    value = config.get(name)
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}{name}: expected a mapping of keys, found {value!r}")
    return value


def _check_keys(values: Mapping[str, Any], where: str, known: Sequence[str]) -> None:
    for key in values:
        if key not in known:
            raise ConfigError(f"{where}{key}: unknown key; valid keys: {', '.join(known)}")

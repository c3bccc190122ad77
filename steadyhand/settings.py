"""The whole configuration, checked before anything is made of it: every group, every key, every number.

Needs no torch and no learner: a machine that deploys a policy has neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from steadyhand.actor.config import ActorConfig, LoggingConfig
from steadyhand.robot_envs.camera import ViewConfig
from steadyhand.robot_envs.devices.make import find_input, is_over_ros
from steadyhand.robot_envs.gym_env import GymTaskConfig
from steadyhand.robot_envs.hardware import find_camera, find_robot, is_behind_ros
from steadyhand.robot_envs.make import RobotTaskConfig
from steadyhand.robot_envs.profile import RosRobotConfig
from steadyhand.robot_envs.rewards.reward import find_reward
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.robot_envs.sensor import find_sensor
from steadyhand.runtime.component import ENTRY_POINT
from steadyhand.runtime.config import ConfigError, build, compose
from steadyhand.runtime.logging import quoted
from steadyhand.transport.config import TransportConfig

__all__ = ["check_overrides", "check_settings", "composed", "run_root"]

GROUPS: dict[str, type[Any]] = {
    "actor": ActorConfig,
    "transport": TransportConfig,
    "logging": LoggingConfig,
    "safety": SafetyLimits,
}
SPECIAL = ("task", "robot", "camera", "sensor", "device", "reward")  # which dataclass they fit depends on their kind
IN_PROFILE = ("gripper", "homing")  # stand in the robot's profile too, and are checked there
LEARNING = ("policy", "algo", "learner", "demo", "classifier")  # checked where there is a learner
ROOT = ("seed", "run_root", "run_name")
RUN = ("run_root", "run_name")  # what chooses a run folder, and nothing else
ROS_KEYS = ("kind", "profile")
LIMITS = ("joint_limits", "name")  # of the arm: what safety takes over, and what it is called in a run's identity
OURS = "steadyhand."  # how the entry points of the product's own components begin
MOCK_KEYS = ("entry_point", "world", "imperfections")  # of the simulated arm behind a mock robot's node
NODE_KEYS = (*MOCK_KEYS, "mock_node")  # of a mock robot behind ROS


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
    _check_camera(_mapping(config, "camera"), config["robot"])
    _check_sensor(_mapping(config, "sensor"))
    _check_device(_mapping(config, "device"))
    _check_reward(_mapping(config, "reward"))


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
    scene = task.get("scene", {"tool": None, "fixtures": {}, "objects": {}})
    if not is_behind_ros(robot):
        find_robot(robot).make(scene)
        return
    _check_keys(robot, "robot.", (*ROS_KEYS, *LIMITS, *(NODE_KEYS if "mock_node" in robot else ())))
    build(RosRobotConfig, {key: robot.get(key) for key in ROS_KEYS}, "robot")
    if "mock_node" in robot:
        find_robot({key: robot.get(key) for key in MOCK_KEYS}).make(scene)


def _check_camera(camera: Mapping[str, Any], robot: Mapping[str, Any]) -> None:
    _check_keys(camera, "camera.", ("views",))
    for name in _mapping(camera, "views", "camera."):
        values = _mapping(camera["views"], name, "camera.views.")
        if is_behind_ros(robot):
            known = {key: values[key] for key in ("height", "width", "crop") if key in values}
            build(ViewConfig, known, f"camera.views.{name}")
        else:
            find_camera(name, values, find_robot(robot).type)


def _check_sensor(sensor: Mapping[str, Any]) -> None:
    _check_keys(sensor, "sensor.", ("fields",))
    for name in _mapping(sensor, "fields", "sensor."):
        find_sensor(name, _mapping(sensor["fields"], name, "sensor.fields."))


def _check_device(device: Mapping[str, Any]) -> None:
    if not is_over_ros(device):  # the ROS 2 actor checks one of its own
        find_input(device)


def _check_reward(reward: Mapping[str, Any]) -> None:
    """Check the settings of a reward of ours; one of the user's own is imported beside the robot alone."""
    if str(reward.get("entry_point")).startswith(OURS):
        find_reward(reward)
    elif ENTRY_POINT.fullmatch(str(reward.get("entry_point"))) is None:
        raise ConfigError(f"reward.entry_point: expected package.module:Class, found {reward.get('entry_point')!r}")


def _mapping(config: Mapping[str, Any], name: str, where: str = "") -> Mapping[str, Any]:
    value = config.get(name)
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}{name}: expected a mapping of keys, found {value!r}")
    return value


def _check_keys(values: Mapping[str, Any], where: str, known: Sequence[str]) -> None:
    for key in values:
        if key not in known:
            raise ConfigError(f"{where}{key}: unknown key; valid keys: {', '.join(known)}")

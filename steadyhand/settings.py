"""The typed settings of a run: one frozen tree, built once from the composed configuration.

A machine beside the robot reads `Settings`. It needs neither torch nor the learner, because a machine that deploys a
policy has neither. `training_settings.TrainingSettings` adds the groups of the learner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steadyhand.actor.config import ActorConfig, LoggingConfig
from steadyhand.robot_envs.arms import check_arms
from steadyhand.robot_envs.camera import Camera, ViewConfig
from steadyhand.robot_envs.devices.device import InputSource
from steadyhand.robot_envs.devices.make import find_input, is_over_ros
from steadyhand.robot_envs.gripper_profile import GripperProfile
from steadyhand.robot_envs.gym_config import GymTaskConfig
from steadyhand.robot_envs.hardware import RobotSetup, find_camera, find_robot, is_behind_ros
from steadyhand.robot_envs.homing_profile import HomingProfile
from steadyhand.robot_envs.make import RobotTaskConfig
from steadyhand.robot_envs.mock.gap import GapConfig
from steadyhand.robot_envs.profile import ControllerProfile, RosRobotConfig
from steadyhand.robot_envs.rewards.reward import Reward, find_reward
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.robot_envs.sensor import Sensor, find_sensor
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.calibration_settings import CalibrationSettings
from steadyhand.runtime.component import ENTRY_POINT, Component
from steadyhand.runtime.config import compose
from steadyhand.runtime.logging import quoted
from steadyhand.transport.config import TransportConfig

__all__ = [
    "CameraSettings",
    "RawGroup",
    "RobotSettings",
    "SensorSettings",
    "Settings",
    "base_values",
    "check_overrides",
    "compose_settings",
    "read_settings",
    "run_root",
]

# The dataclass of each group that has exactly one.
GROUPS: dict[str, type[Any]] = {
    "actor": ActorConfig,
    "transport": TransportConfig,
    "logging": LoggingConfig,
    "safety": SafetyLimits,
    "calibration": CalibrationSettings,
    "gap": GapConfig,
}
SPECIAL = ("task", "robot", "camera", "sensor", "device", "reward")  # which dataclass they fit depends on their kind
# Groups that are also part of the profile of a robot behind ROS.
IN_PROFILE: dict[str, type[Any]] = {"gripper": GripperProfile, "homing": HomingProfile}
LEARNING = (
    "policy",
    "algo",
    "learner",
    "demo",
    "classifier",
    "evaluation",
    "earlier",
)  # built where there is a learner
ROOT = ("seed", "run_root", "run_name")
RUN = ("run_root", "run_name")  # the keys that choose only the run folder
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


@dataclass(frozen=True)
class Settings:
    """The settings of a machine beside the robot.

    Attributes:
        seed: The seed from which every other seed is derived.
        run_root: Folder that holds the run folders.
        run_name: Name of the run; None = a new one.
        task: The task of an arm, or of a gymnasium environment.
        robot: The arm.
        gripper: Gripper of a robot behind ROS; None = none.
        homing: Joint-space motion before an episode of a robot behind ROS; None = none.
        camera: The cameras.
        sensor: The sensors.
        device: The device of the operator, or of the simulated operator.
        reward: The score of each step.
        safety: Limits of the arm.
        calibration: The calibration files of the cell.
        gap: Differences of a simulated cell from its description.
        actor: The actor process.
        transport: The link between actor and learner.
        logging: Log lines and consoles.
        composed: The composed configuration that the tree was built from. Manifests and demo sets keep it. Components
            (task, robot, camera, sensor, device, reward) are made from their groups in it.
    """

    seed: int
    run_root: Path
    run_name: str | None
    task: RobotTaskConfig | GymTaskConfig
    robot: RobotSettings
    gripper: GripperProfile | None
    homing: HomingProfile | None
    camera: CameraSettings
    sensor: SensorSettings
    device: Component[InputSource] | RawGroup
    reward: Component[Reward] | RawGroup
    safety: SafetyLimits
    calibration: CalibrationSettings
    gap: GapConfig
    actor: ActorConfig
    transport: TransportConfig
    logging: LoggingConfig
    composed: Mapping[str, Any]


def compose_settings(overrides: Sequence[str]) -> Settings:
    """Compose the configuration and build the settings of a machine beside the robot.

    Raises:
        ConfigError: A setting is wrong; the line names it.
    """
    return read_settings(compose(overrides))


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Build the tree of a composed configuration, without importing a task's code.

    Args:
        config: As `compose` returns it.

    Raises:
        ConfigError: A group is missing, a key is unknown, or a number is out of its range.
    """
    return Settings(**base_values(config))


def base_values(config: Mapping[str, Any]) -> dict[str, Any]:
    """Build the fields of `Settings`, for this class and classes derived from it.

    Raises:
        ConfigError: As for `read_settings`.
    """
    known = (*GROUPS, *SPECIAL, *IN_PROFILE, *LEARNING, *ROOT)
    _check_keys(config, "", known)
    for name in known:
        if name not in config:
            raise ConfigError(f"{name}: expected a value, found none; do not remove it with ~{name}")
    seed, run_name = config["seed"], config["run_name"]
    if type(seed) is not int or seed < 0:
        raise ConfigError(f"seed: expected a whole number of at least 0, found {seed!r}")
    root = run_root(config)
    built: dict[str, Any] = {name: build(settings, config[name], name) for name, settings in GROUPS.items()}
    task = _task(_mapping(config, "task"))
    robot = _robot(_mapping(config, "robot"), _mapping(config, "task"))
    _check_gap(built["gap"], task, config["robot"])
    if isinstance(task, RobotTaskConfig):
        n_arms = 1 if robot.setup is None else robot.setup.type.n_arms
        check_arms(task.arms, n_arms, str(config["robot"].get("name")), built["safety"], _mapping(config, "device"))
    for group, profile in IN_PROFILE.items():
        built[group] = None if config[group] is None else build(profile, config[group], group)
    return {
        **built,
        "seed": seed,
        "run_root": root,
        "run_name": None if run_name is None or run_name == "" else str(run_name),
        "task": task,
        "robot": robot,
        "camera": _camera(_mapping(config, "camera"), robot),
        "sensor": _sensor(_mapping(config, "sensor")),
        "device": _device(_mapping(config, "device")),
        "reward": _reward(_mapping(config, "reward")),
        "composed": config,
    }


def run_root(config: Mapping[str, Any]) -> Path:
    """Return the folder that holds the run folders.

    Raises:
        ConfigError: The value is no folder name.
    """
    root = config["run_root"]
    if not isinstance(root, str) or not root:
        raise ConfigError(f"run_root: expected a folder, found {root!r}")
    return Path(root)


def check_overrides(overrides: Sequence[str], verb: str, allowed: Sequence[str] = RUN) -> None:
    """Refuse an override that `verb` would ignore.

    Raises:
        ConfigError: There is such an override.
    """
    for override in overrides:
        if override.partition("=")[0].lstrip("+~") not in allowed:
            expected = f"only {' and '.join(f'{name}=...' for name in allowed)}" if allowed else "no overrides"
            raise ConfigError(f"{verb}: expected {expected}, found {quoted(override)}")


def _task(task: Mapping[str, Any]) -> RobotTaskConfig | GymTaskConfig:
    if task.get("kind") == "gym":
        return build(GymTaskConfig, task, "task")
    return build(RobotTaskConfig, task, "task")


def _robot(robot: Mapping[str, Any], task: Mapping[str, Any]) -> RobotSettings:
    scene = task.get("scene", {"tool": None, "fixtures": {}, "objects": {}})
    profile: ControllerProfile | None = None
    setup: Component[RobotSetup] | None = None
    if not is_behind_ros(robot):
        setup = find_robot(robot)
    else:
        _check_keys(robot, "robot.", (*ROS_KEYS, *LIMITS, *(NODE_KEYS if "mock_node" in robot else ())))
        profile = build(RosRobotConfig, {key: robot.get(key) for key in ROS_KEYS}, "robot").profile
        if "mock_node" in robot:
            setup = find_robot({key: robot.get(key) for key in MOCK_KEYS if key in robot})
    if setup is not None:
        setup.make(scene)  # checks the scene without opening the robot
    return RobotSettings(setup, profile)


def _check_gap(gap: GapConfig, task: RobotTaskConfig | GymTaskConfig, robot: Mapping[str, Any]) -> None:
    if not gap.is_none and (isinstance(task, GymTaskConfig) or robot.get("gap") is None):
        found = "task=gym" if isinstance(task, GymTaskConfig) else f"robot {robot.get('name')}, which has no gap"
        raise ConfigError(f"gap: expected a simulated arm, such as robot=mock, found {found}; give gap=none")


def _camera(camera: Mapping[str, Any], robot: RobotSettings) -> CameraSettings:
    _check_keys(camera, "camera.", ("views",))
    views: dict[str, Component[Camera] | ViewConfig] = {}
    for name in _mapping(camera, "views", "camera."):
        values = _mapping(camera["views"], name, "camera.views.")
        if robot.profile is None:
            assert robot.setup is not None
            views[name] = find_camera(name, values, robot.setup.type)
        else:
            shared = {key: values[key] for key in ("height", "width", "crop", "latency_s") if key in values}
            views[name] = build(ViewConfig, shared, f"camera.views.{name}")
    return CameraSettings(views)


def _sensor(sensor: Mapping[str, Any]) -> SensorSettings:
    _check_keys(sensor, "sensor.", ("fields",))
    fields = _mapping(sensor, "fields", "sensor.")
    return SensorSettings({name: find_sensor(name, _mapping(fields, name, "sensor.fields.")) for name in fields})


def _device(device: Mapping[str, Any]) -> Component[InputSource] | RawGroup:
    return RawGroup(device) if is_over_ros(device) else find_input(device)


def _reward(reward: Mapping[str, Any]) -> Component[Reward] | RawGroup:
    entry_point = reward.get("entry_point")
    if str(entry_point).startswith(OURS):
        return find_reward(reward)
    if ENTRY_POINT.fullmatch(str(entry_point)) is None:
        raise ConfigError(f"reward.entry_point: expected package.module:Class, found {entry_point!r}")
    return RawGroup(reward)


def _mapping(config: Mapping[str, Any], name: str, where: str = "") -> Mapping[str, Any]:
    value = config.get(name)
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}{name}: expected a mapping of keys, found {value!r}")
    return value


def _check_keys(values: Mapping[str, Any], where: str, known: Sequence[str]) -> None:
    for key in values:
        if key not in known:
            raise ConfigError(f"{where}{key}: unknown key; valid keys: {', '.join(known)}")

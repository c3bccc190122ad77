"""The settings of a run, typed: one frozen tree, built once from the composed configuration.

`Settings` is what a machine beside the robot reads. It needs neither torch nor the learner: a machine that deploys a
policy has neither. `training_settings.TrainingSettings` adds the groups of the learner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steadyhand.actor.config import ActorConfig, LoggingConfig
from steadyhand.robot_envs.camera import WHOLE, Crop
from steadyhand.robot_envs.devices.gamepad import GamepadConfig
from steadyhand.robot_envs.devices.keyboard import KeyboardConfig
from steadyhand.robot_envs.devices.make import held_by_person
from steadyhand.robot_envs.devices.spacemouse import SpaceMouseConfig
from steadyhand.robot_envs.gym_env import GymTaskConfig
from steadyhand.robot_envs.make import RobotTaskConfig, ScriptedDeviceConfig
from steadyhand.robot_envs.mock.config import MockRobotConfig, RenderedCameraConfig, WorldConfig
from steadyhand.robot_envs.profile import ControllerProfile, GripperProfile, HomingProfile, RosRobotConfig
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.runtime.config import ConfigError, build, compose
from steadyhand.runtime.logging import quoted
from steadyhand.runtime.ranges import expect_at_least
from steadyhand.transport.config import TransportConfig

__all__ = [
    "CameraSettings",
    "RawGroup",
    "RobotSettings",
    "Settings",
    "ViewConfig",
    "base_values",
    "check_overrides",
    "compose_settings",
    "read_settings",
    "run_root",
]

# Dataclass of each group that has but one.
GROUPS: dict[str, type[Any]] = {
    "actor": ActorConfig,
    "transport": TransportConfig,
    "logging": LoggingConfig,
    "safety": SafetyLimits,
}
SPECIAL = ("task", "robot", "camera", "device")  # which dataclass they fit depends on their kind
# These stand in the profile of a robot behind ROS too.
IN_PROFILE: dict[str, type[Any]] = {"gripper": GripperProfile, "homing": HomingProfile}
LEARNING = ("policy", "algo", "learner", "demo")  # built where there is a learner
ROOT = ("seed", "run_root", "run_name")
RUN = ("run_root", "run_name")  # what chooses a run folder, and nothing else
ROS_KEYS = ("kind", "profile")
MOCK_KEYS = ("kind", "world", "imperfections")
LIMITS = ("joint_limits",)  # of the arm, which safety takes over
NODE_KEYS = ("world", "imperfections", "mock_node")  # of a mock robot behind ROS
PERSONS: dict[str, type[SpaceMouseConfig | GamepadConfig | KeyboardConfig]] = {
    "spacemouse": SpaceMouseConfig,
    "gamepad": GamepadConfig,
    "keyboard": KeyboardConfig,
}


@dataclass(frozen=True)
class ViewConfig:
    """Keys that every camera's view has; a real camera's view may have more."""

    height: int
    width: int
    crop: Crop = WHOLE

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "height", "width")


@dataclass(frozen=True)
class RawGroup:
    """A group as composed, whose dataclass belongs to another program: a device over ROS."""

    values: Mapping[str, Any]


@dataclass(frozen=True)
class RobotSettings:
    """The group `robot`.

    Attributes:
        kind: mock or ros.
        profile: Of a robot behind ROS 2; None for the mock in this process.
        world: Of a simulated arm, with the workpieces of the task; None for a real one.
        imperfections: The same.
    """

    kind: str
    profile: ControllerProfile | None
    world: WorldConfig | None
    imperfections: MockRobotConfig | None

    @property
    def is_simulated(self) -> bool:
        """Whether the arm is simulated, in this process or behind ROS."""
        return self.world is not None


@dataclass(frozen=True)
class CameraSettings:
    """The group `camera`: views by name."""

    views: Mapping[str, RenderedCameraConfig | ViewConfig]


@dataclass(frozen=True)
class Settings:
    """The settings of a machine beside the robot.

    Attributes:
        seed: Every other seed is derived from it.
        run_root: Folder of the run folders.
        run_name: Name of the run; None = a new one.
        task: Of an arm, or of a gymnasium environment.
        robot: The arm.
        gripper: Of a robot behind ROS; None = none.
        homing: Joint-space motion before an episode of a robot behind ROS; None = none.
        camera: The cameras.
        device: The operator's device, or the stand-in's.
        safety: Limits of the arm.
        actor: The actor process.
        transport: The link between actor and learner.
        logging: Log lines and consoles.
        composed: The composed configuration that this was built from: manifests and demo sets keep it, and components
            (task, robot, camera, device) are made from their groups in it.
    """

    seed: int
    run_root: Path
    run_name: str | None
    task: RobotTaskConfig | GymTaskConfig
    robot: RobotSettings
    gripper: GripperProfile | None
    homing: HomingProfile | None
    camera: CameraSettings
    device: ScriptedDeviceConfig | SpaceMouseConfig | GamepadConfig | KeyboardConfig | RawGroup
    safety: SafetyLimits
    actor: ActorConfig
    transport: TransportConfig
    logging: LoggingConfig
    composed: Mapping[str, Any]


def compose_settings(overrides: Sequence[str]) -> Settings:
    """Compose the configuration and build what a machine beside the robot needs.

    Raises:
        ConfigError: Something in it is wrong; the line names it.
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
    """Build the fields of `Settings`, for it and for classes derived from it.

    Raises:
        ConfigError: As `read_settings`.
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
    for group, profile in IN_PROFILE.items():
        built[group] = None if config[group] is None else build(profile, config[group], group)
    return {
        **built,
        "seed": seed,
        "run_root": root,
        "run_name": None if run_name is None or run_name == "" else str(run_name),
        "task": task,
        "robot": robot,
        "camera": _camera(_mapping(config, "camera"), is_mock=config["robot"].get("kind") == "mock"),
        "device": _device(_mapping(config, "device")),
        "composed": config,
    }


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


def _task(task: Mapping[str, Any]) -> RobotTaskConfig | GymTaskConfig:
    if task.get("kind") == "gym":
        return build(GymTaskConfig, task, "task")
    return build(RobotTaskConfig, task, "task")


def _robot(robot: Mapping[str, Any], task: Mapping[str, Any]) -> RobotSettings:
    kind = robot.get("kind")
    if kind not in ("mock", "ros"):
        raise ConfigError(f"robot.kind: expected mock or ros, found {kind!r}")
    profile: ControllerProfile | None = None
    if kind == "ros":
        _check_keys(robot, "robot.", (*ROS_KEYS, *LIMITS, *(NODE_KEYS if "mock_node" in robot else ())))
        profile = build(RosRobotConfig, {key: robot.get(key) for key in ROS_KEYS}, "robot").profile
    else:
        _check_keys(robot, "robot.", (*MOCK_KEYS, *LIMITS))
    if kind != "mock" and "mock_node" not in robot:
        return RobotSettings(kind, profile, None, None)
    empty: dict[str, Any] = {"tool": None, "fixtures": {}, "objects": {}}
    world = {**_mapping(robot, "world", "robot."), "scene": task.get("scene", empty)}
    return RobotSettings(
        kind,
        profile,
        build(WorldConfig, world, "robot.world"),
        build(MockRobotConfig, _mapping(robot, "imperfections", "robot."), "robot.imperfections"),
    )


def _camera(camera: Mapping[str, Any], is_mock: bool) -> CameraSettings:
    _check_keys(camera, "camera.", ("views",))
    views: dict[str, RenderedCameraConfig | ViewConfig] = {}
    for name in _mapping(camera, "views", "camera."):
        where = f"camera.views.{name}"
        values = _mapping(camera["views"], name, "camera.views.")
        if is_mock:
            views[name] = build(RenderedCameraConfig, {"name": name, **values}, where)
        else:
            shared = {key: values[key] for key in ("height", "width", "crop") if key in values}
            views[name] = build(ViewConfig, shared, where)
    return CameraSettings(views)


def _device(
    device: Mapping[str, Any],
) -> ScriptedDeviceConfig | SpaceMouseConfig | GamepadConfig | KeyboardConfig | RawGroup:
    if not held_by_person(device):
        return build(ScriptedDeviceConfig, device, "device")
    if device["kind"] in PERSONS:
        return build(PERSONS[device["kind"]], device, "device")
    return RawGroup(device)  # the ROS 2 actor alone makes it, and checks it


def _mapping(config: Mapping[str, Any], name: str, where: str = "") -> Mapping[str, Any]:
    value = config.get(name)
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}{name}: expected a mapping of keys, found {value!r}")
    return value


def _check_keys(values: Mapping[str, Any], where: str, known: Sequence[str]) -> None:
    for key in values:
        if key not in known:
            raise ConfigError(f"{where}{key}: unknown key; valid keys: {', '.join(known)}")

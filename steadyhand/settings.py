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
from steadyhand.component_groups import (
    CameraSettings,
    RawGroup,
    RobotSettings,
    SensorSettings,
    check_gap,
    check_keys,
    mapping,
    read_camera,
    read_device,
    read_reward,
    read_robot,
    read_sensor,
    read_task,
)
from steadyhand.robot_envs.arms import check_arms
from steadyhand.robot_envs.devices.device import InputSource
from steadyhand.robot_envs.gripper_profile import GripperProfile
from steadyhand.robot_envs.gym_config import GymTaskConfig
from steadyhand.robot_envs.homing_profile import HomingProfile
from steadyhand.robot_envs.make import RobotTaskConfig
from steadyhand.robot_envs.mock.gap import GapConfig
from steadyhand.robot_envs.rewards.reward import Reward
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.calibration_settings import CalibrationSettings
from steadyhand.runtime.component import Component
from steadyhand.runtime.config import compose
from steadyhand.runtime.logging import quoted
from steadyhand.transport.config import TransportConfig

__all__ = [
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
    check_keys(config, "", known)
    for name in known:
        if name not in config:
            raise ConfigError(f"{name}: expected a value, found none; do not remove it with ~{name}")
    seed, run_name = config["seed"], config["run_name"]
    if type(seed) is not int or seed < 0:
        raise ConfigError(f"seed: expected a whole number of at least 0, found {seed!r}")
    root = run_root(config)
    built: dict[str, Any] = {name: build(settings, config[name], name) for name, settings in GROUPS.items()}
    task = read_task(config)
    robot = read_robot(config)
    check_gap(built["gap"], task, config["robot"])
    if isinstance(task, RobotTaskConfig):
        n_arms = 1 if robot.setup is None else robot.setup.type.n_arms
        check_arms(task.arms, n_arms, str(config["robot"].get("name")), built["safety"], mapping(config, "device"))
    for group, profile in IN_PROFILE.items():
        built[group] = None if config[group] is None else build(profile, config[group], group)
    return {
        **built,
        "seed": seed,
        "run_root": root,
        "run_name": None if run_name is None or run_name == "" else str(run_name),
        "task": task,
        "robot": robot,
        "camera": read_camera(config, robot),
        "sensor": read_sensor(config),
        "device": read_device(config),
        "reward": read_reward(config),
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

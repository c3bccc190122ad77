"""From a composed configuration to an environment and its operators. The only place that knows which robots exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from robot_envs.camera import Camera
from robot_envs.devices.make import held_by_person, make_person
from robot_envs.devices.operator import NoOperator, Operator
from robot_envs.devices.scripted import CorrectorConfig, HandConfig, ScriptedCorrector, ScriptedDemonstrator
from robot_envs.env import EnvConfig, RobotEnv
from robot_envs.experts.expert import ActionScale, Expert
from robot_envs.gym_env import ForeignExpert, GymTaskConfig, GymTaskEnv, load_entry_point, make_gym_env
from robot_envs.safety.gate import SafetyGate
from robot_envs.safety.limits import SafetyLimits
from robot_envs.tasks.task import Task
from runtime.config import ConfigError, build

TaughtEnv = RobotEnv | GymTaskEnv


@dataclass(frozen=True)
class RobotTaskConfig:
    """A task for an arm.

    Attributes:
        kind: robot.
        entry_point: ``package.module:Class`` of the task.
        expert: ``package.module:Class`` that stands in for the person; null = none.
        drive: Periods and scales of the environment.
        settings: The task's own numbers.
        scene: What the mock robot works on.
    """

    kind: Literal["robot"]
    entry_point: str
    expert: str | None
    drive: EnvConfig
    settings: dict[str, Any]
    scene: dict[str, Any]


@dataclass(frozen=True)
class ScriptedDeviceConfig:
    """The stand-in for a person: its pace, its hand as a demonstrator, and its behaviour as a corrector."""

    kind: Literal["scripted", "none"]
    pace: Literal["realtime", "lockstep"]
    demonstrator: HandConfig
    corrector: CorrectorConfig


def make_env(config: Mapping[str, Any], seed: int) -> TaughtEnv:
    """Make the environment of a composed configuration and seed it.

    Raises:
        ConfigError: A group's values do not fit together.
        RobotError: The robot cannot be reached.
    """
    env = make_gym_env(build(GymTaskConfig, config["task"], "task")) if _is_gym(config) else _make_robot_env(config)
    env.action_space.seed(seed)
    return env


def make_demonstrator(config: Mapping[str, Any], env: TaughtEnv, seed: int) -> Operator:
    """Make whoever shows the task: a person with a device in hand, or the task's expert.

    Raises:
        ConfigError: Nobody can: the task has no expert.
        DeviceError: The person's device is not there.
    """
    if held_by_person(config["device"]):
        return make_person(config["device"], _action_size(env))
    device = build(ScriptedDeviceConfig, config["device"], "device")
    expert = _make_expert(config, env)
    if expert is None:
        raise ConfigError(
            "task.expert: demonstrations need an expert, found null; give task.expert=package.module:Class"
        )
    return ScriptedDemonstrator(expert, device.demonstrator, seed)


def make_corrector(config: Mapping[str, Any], env: TaughtEnv, seed: int) -> Operator:
    """Make whoever may take over while the policy practises; nobody without an expert or with ``device=none``.

    Raises:
        DeviceError: The person's device is not there.
    """
    if held_by_person(config["device"]):
        return make_person(config["device"], _action_size(env))
    device = build(ScriptedDeviceConfig, config["device"], "device")
    expert = _make_expert(config, env)
    if expert is None or device.kind == "none":
        return NoOperator()
    return ScriptedCorrector(expert, device.corrector, seed)


def _action_size(env: TaughtEnv) -> int:
    return int((env.action_space.shape or (0,))[0])


def _is_gym(config: Mapping[str, Any]) -> bool:
    return bool(config["task"].get("kind") == "gym")


def _make_robot_env(config: Mapping[str, Any]) -> RobotEnv:
    # MuJoCo is an extra: whoever drives another robot does without it.
    from robot_envs.mock.camera import RenderedCamera, RenderedCameraConfig
    from robot_envs.mock.robot import MockRobot, MockRobotConfig
    from robot_envs.mock.world import World, WorldConfig

    task_config = build(RobotTaskConfig, config["task"], "task")
    task_class = load_entry_point(task_config.entry_point, "task.entry_point")
    settings = build(task_class.settings_type, task_config.settings, "task.settings")  # type: ignore[attr-defined]
    task: Task = task_class(settings)
    world_values = {**config["robot"]["world"], "scene": task_config.scene}
    world = World(build(WorldConfig, world_values, "robot.world"))
    robot = MockRobot(build(MockRobotConfig, config["robot"]["imperfections"], "robot.imperfections"), world)
    cameras: list[Camera] = [
        RenderedCamera(build(RenderedCameraConfig, {"name": name, **view}, f"camera.{name}"), world)
        for name, view in config["camera"]["views"].items()
    ]
    drive = task_config.drive
    gate = SafetyGate(build(SafetyLimits, config["safety"], "safety"), drive.control_period_s)
    return RobotEnv(drive, robot, cameras, task, robot, gate, world.clock, world.config.pace == "lockstep")


def _make_expert(config: Mapping[str, Any], env: TaughtEnv) -> Expert | None:
    name = config["task"].get("expert")
    if name is None:
        return None
    expert_class = load_entry_point(name, "task.expert")
    if isinstance(env, GymTaskEnv):
        return ForeignExpert(expert_class(), env)
    expert: Expert = expert_class(ActionScale(env.config.action_scale_m, env.config.action_scale_rad))
    return expert

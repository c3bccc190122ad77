"""Construction of an environment and its operators from a composed configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import gymnasium

from steadyhand.robot_envs.arms import check_arms
from steadyhand.robot_envs.devices.device import Device
from steadyhand.robot_envs.devices.make import held_by_person, make_person, make_stand_in
from steadyhand.robot_envs.devices.operator import NoOperator, Operator
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.env_config import EnvConfig
from steadyhand.robot_envs.experts.expert import ActionScale, Expert
from steadyhand.robot_envs.gym_config import GymTaskConfig
from steadyhand.robot_envs.gym_env import GymTaskEnv, make_gym_env
from steadyhand.robot_envs.gym_expert import make_foreign_expert
from steadyhand.robot_envs.hardware import Hardware, find_camera, find_robot
from steadyhand.robot_envs.rewards.reward import Reward, find_reward
from steadyhand.robot_envs.safety.gate import SafetyGate
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.robot_envs.safety.region import Extent
from steadyhand.robot_envs.sensor import find_sensor
from steadyhand.robot_envs.tasks.task import Task
from steadyhand.robot_envs.teachable import teachable
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.component import load_entry_point
from steadyhand.runtime.ranges import expect_at_least

__all__ = [
    "RobotTaskConfig",
    "TaughtEnv",
    "make_corrector",
    "make_demonstrator",
    "make_env",
    "make_hardware",
    "make_onlooker",
    "make_task",
]

TaughtEnv = RobotEnv | GymTaskEnv


@dataclass(frozen=True)
class RobotTaskConfig:
    """A task for an arm.

    Attributes:
        kind: robot.
        entry_point: ``package.module:Class`` of the task.
        expert: ``package.module:Class`` of the scripted expert; null = none.
        drive: Periods and scales of the environment.
        settings: Settings of the task itself.
        scene: Workpieces of the mock robot.
        extent: Box around the tool and the part that it holds, for the safety limits.
        arms: Number of arms that the task needs.
        extents: The same box of each arm of several, by the name of the arm; null = `extent` for all.
    """

    kind: Literal["robot"]
    entry_point: str
    expert: str | None
    drive: EnvConfig
    settings: dict[str, Any]
    scene: dict[str, Any]
    extent: Extent
    arms: int = 1
    extents: dict[str, Extent] | None = None

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "arms")


def make_env(config: Mapping[str, Any], seed: int, hardware: Hardware | None = None) -> TaughtEnv:
    """Construct the environment of a composed configuration and seed it.

    Args:
        config: Configuration as `compose` returns it.
        seed: Seed of the action space.
        hardware: Hardware of a robot that only the caller's process can reach, such as one behind ROS; None = the
            robot that the configuration names.

    Raises:
        ConfigError: A group's values do not fit together.
        RobotError: The robot cannot be reached.
    """
    reward = find_reward(config["reward"]).make()
    env: TaughtEnv
    if _is_gym(config):
        env = make_gym_env(build(GymTaskConfig, config["task"], "task"), reward)
    else:
        env = _make_robot_env(config, hardware, reward)
    env.action_space.seed(seed)
    return env


def make_demonstrator(
    config: Mapping[str, Any], env: gymnasium.Env[Any, Any], seed: int, device: Device | None = None
) -> Operator:
    """Construct the operator for demonstrations: a person with a device, or the task's scripted expert.

    `device` is the person's device, where only this process can reach it. Otherwise the configuration names it.

    Raises:
        ConfigError: No person holds the device, and the task has no expert.
        DeviceError: The person's device is missing.
    """
    if held_by_person(config["device"]):
        return make_person(config["device"], _action_size(env), device)
    stand_in, expert = make_stand_in(config["device"]), _make_expert(config, env)
    if expert is None:
        raise ConfigError(
            "task.expert: demonstrations need an expert, found null; give task.expert=package.module:Class"
        )
    return stand_in.demonstrator(expert, teachable(env), seed)


def make_corrector(
    config: Mapping[str, Any],
    env: gymnasium.Env[Any, Any],
    seed: int,
    device: Device | None = None,
    usual_steps: float | None = None,
) -> Operator:
    """Construct the operator that may intervene during training; `NoOperator` without an expert or ``device=none``.

    `device` is as in `make_demonstrator`. `usual_steps` is the mean length of the demonstrations, if it is known.

    Raises:
        DeviceError: The person's device is missing.
    """
    if held_by_person(config["device"]):
        return make_person(config["device"], _action_size(env), device)
    stand_in, expert = make_stand_in(config["device"]), _make_expert(config, env)
    return NoOperator() if expert is None else stand_in.corrector(expert, teachable(env), seed, usual_steps)


def make_onlooker(config: Mapping[str, Any], env: gymnasium.Env[Any, Any], device: Device | None = None) -> Operator:
    """Construct the operator that may intervene during deployment: a person with a device; otherwise `NoOperator`.

    A scripted expert never intervenes there. `device` is as in `make_demonstrator`.

    Raises:
        DeviceError: The person's device is missing.
    """
    if held_by_person(config["device"]):
        return make_person(config["device"], _action_size(env), device)
    return NoOperator()


def _action_size(env: gymnasium.Env[Any, Any]) -> int:
    return int((env.action_space.shape or (0,))[0])


def _is_gym(config: Mapping[str, Any]) -> bool:
    return bool(config["task"].get("kind") == "gym")


def _make_robot_env(config: Mapping[str, Any], hardware: Hardware | None, reward: Reward) -> RobotEnv:
    task_config = build(RobotTaskConfig, config["task"], "task")
    task = make_task(task_config)
    if hardware is None:
        hardware = make_hardware(config, task_config.scene)
    drive = task_config.drive
    h, limits = hardware, build(SafetyLimits, config["safety"], "safety")
    check_arms(task_config.arms, h.robot.n_arms, str(config["robot"].get("name")), limits, config["device"])
    gate = SafetyGate(limits, drive.control_period_s)
    views = config["camera"]["views"].items()
    latencies_s = {name: float(view["latency_s"]) for name, view in views if "latency_s" in view}
    return RobotEnv(
        drive, h.robot, h.cameras, task, h.workpieces, gate, h.clock, h.lockstep, reward, h.sensors, latencies_s
    )


def make_task(config: RobotTaskConfig) -> Task:
    """Construct the task of an arm.

    Raises:
        ConfigError: The class cannot be imported, or a setting is wrong.
    """
    task_class = load_entry_point(config.entry_point, "task.entry_point")
    settings = build(task_class.settings_type, config.settings, "task.settings")  # type: ignore[attr-defined]
    task: Task = task_class(settings)
    return task


def make_hardware(config: Mapping[str, Any], scene: dict[str, Any]) -> Hardware:
    """Construct the configured robot, and the cameras and sensors around it. Nothing is connected.

    Raises:
        ConfigError: The robot is behind ROS 2, or a setting is wrong.
    """
    robot = find_robot(config["robot"])
    cameras = {name: find_camera(name, view, robot.type) for name, view in config["camera"]["views"].items()}
    sensors = {name: find_sensor(name, values) for name, values in config["sensor"]["fields"].items()}
    hardware = robot.make(scene).make()
    return replace(
        hardware,
        cameras=[camera.make(name, hardware.world) for name, camera in cameras.items()],
        sensors=[sensor.make(name, hardware.world) for name, sensor in sensors.items()],
    )


def _make_expert(config: Mapping[str, Any], env: gymnasium.Env[Any, Any]) -> Expert | None:
    name = config["task"].get("expert")
    if name is None:
        return None
    expert_class = load_entry_point(name, "task.expert")
    inner = env.unwrapped
    if isinstance(inner, GymTaskEnv):
        return make_foreign_expert(expert_class, inner)
    assert isinstance(inner, RobotEnv)
    expert: Expert = expert_class(ActionScale(inner.config.action_scale_m, inner.config.action_scale_rad))
    return expert

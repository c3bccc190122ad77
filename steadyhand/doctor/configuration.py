"""Checks of the chosen configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steadyhand.doctor.environment import is_there
from steadyhand.doctor.finding import Finding, broken, ok
from steadyhand.job import task_name
from steadyhand.robot_envs.devices.make import input_name
from steadyhand.robot_envs.gym_config import GymTaskConfig
from steadyhand.robot_envs.hardware import find_robot, is_behind_ros
from steadyhand.robot_envs.make import RobotTaskConfig
from steadyhand.robot_envs.rewards.reward import find_reward
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.component import load_entry_point
from steadyhand.runtime.onnx_file import MissingRuntimeError
from steadyhand.settings import read_settings

__all__ = ["CHECKS"]


def check_config(config: Mapping[str, Any]) -> Finding:
    """Check that the settings can be built: the whole tree, or without torch the part that deploys a policy."""
    try:
        if is_there("torch"):
            from steadyhand.training_settings import read_training_settings

            read_training_settings(config)
        else:
            read_settings(config)
    except ConfigError as error:
        return broken("config", str(error), "correct it in configs/ or on the command line")
    robot = "ros" if is_behind_ros(config["robot"]) else find_robot(config["robot"]).type.name
    device = input_name(config["device"])
    return ok("config", f"task {task_name(config)}, robot {robot}, device {device}, seed {config['seed']}")


def check_task(config: Mapping[str, Any]) -> Finding:
    """Check that the task's settings are complete, and that its code and its expert can be imported."""
    task = config["task"]
    try:
        settings: GymTaskConfig | RobotTaskConfig
        if task.get("kind") == "gym":
            settings = build(GymTaskConfig, task, "task")
        else:
            settings = build(RobotTaskConfig, task, "task")
        load_entry_point(settings.entry_point, "task.entry_point")
        if settings.expert is not None:
            load_entry_point(settings.expert, "task.expert")
    except ConfigError as error:
        return broken("task", str(error), "correct it in configs/task/ or on the command line")
    return ok("task", f"{settings.entry_point}, expert {settings.expert or 'none'}")


def check_reward(config: Mapping[str, Any]) -> Finding:
    """Check the reward's code, its settings, and the files that it reads."""
    reward = config["reward"]
    try:
        find_reward(reward).make()
    except (ConfigError, MissingRuntimeError) as error:
        return broken("reward", str(error), "correct it in configs/reward/ or on the command line")
    return ok("reward", str(reward["entry_point"]))


CHECKS = (check_config, check_task, check_reward)

"""Agreement of task, robot, limits and device about the number of arms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steadyhand.robot_envs.devices.make import arms_of_input, input_name
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.runtime.build import ConfigError

__all__ = ["check_arms"]

_WORDS = {1: "one arm", 2: "two arms"}


def check_arms(n_task: int, n_robot: int, robot: str, safety: SafetyLimits, device: Mapping[str, Any]) -> None:
    """Check that task, robot, limits and device are for the same number of arms.

    Args:
        n_task: Arms of the task.
        n_robot: Arms of the robot.
        robot: Name of the robot.
        safety: Limits of the cell.
        device: The group `device`.

    Raises:
        ConfigError: They are not; the line says what to choose.
    """
    if n_task != n_robot:
        raise ConfigError(
            f"robot: expected a robot of {_words(n_task)} for this task, found {robot} with {_words(n_robot)}; "
            f"give {'robot=mock' if n_task == 1 else 'robot=mock_pair'}, or another task"
        )
    n_limits = len(safety.each_arm)
    if n_limits != n_robot:
        raise ConfigError(
            f"safety.arms: expected limits for {_words(n_robot)} of {robot}, found them for {_words(n_limits)}; "
            f"give {'safety=default' if n_robot == 1 else 'safety=pair'}"
        )
    n_device = arms_of_input(device)
    if n_device not in (None, n_robot):
        raise ConfigError(
            f"device: expected a device for {_words(n_robot)} of {robot}, found {input_name(device)} for "
            f"{_words(n_device or 0)}; give {'device=spacemouse' if n_robot == 1 else 'device=pair'}, or device=none"
        )


def _words(n_arms: int) -> str:
    return _WORDS.get(n_arms, f"{n_arms} arms")

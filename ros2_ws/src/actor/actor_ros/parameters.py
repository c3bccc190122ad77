"""ROS parameters of the nodes: the choice of the configuration, and its numbers with description, unit and range."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor, ParameterType
from rclpy.node import Node

from steadyhand.robot_envs.profile import RosRobotConfig
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.config import compose, use_config_dir

__all__ = ["NO_LIMITS", "compose_config", "declare_settings", "has_own_limits", "robot_config"]

T = TypeVar("T")
NO_LIMITS = (
    "no limits are set for this cell; measure it with steadyhand calibrate workspace, and give the file, or safety=..."
)
_LARGEST = 1e6


def compose_config(node: Node) -> dict[str, Any]:
    """Compose the configuration that the parameters `robot`, `task` and `overrides` choose.

    `config_dir` adds the user's own configuration folder for the whole process.

    Raises:
        ConfigError: An option, an override or a folder does not exist.
    """
    folder = _text(
        node, "config_dir", "", "The user's own configuration folder; empty = $STEADYHAND_CONFIG, if that is set."
    )
    if folder:
        use_config_dir(folder, "config_dir")
    robot = _text(node, "robot", "mock_ros", "The controller's profile: a file of configs/robot/.")
    task = _text(node, "task", "peg_insert", "The task: a file of configs/task/.")
    descriptor = ParameterDescriptor(
        type=ParameterType.PARAMETER_STRING_ARRAY,
        description="More choices, as on steadyhand's command line: camera=wrist_side, safety.max_force_n=40.",
        read_only=True,
    )
    node.declare_parameter("overrides", [""], descriptor)
    overrides = [str(override) for override in node.get_parameter("overrides").value if override]
    return compose([f"robot={robot}", f"task={task}", *overrides])


def has_own_limits(choices: Sequence[str], config: Mapping[str, Any]) -> bool:
    """Return whether a configuration has limits of its own cell, by an override of `safety` or a measured workspace."""
    measured = any(file["kind"] == "workspace" for file in config["calibration"]["used"])
    return measured or any(choice.startswith("safety") for choice in choices)


def robot_config(config: dict[str, Any]) -> RosRobotConfig:
    """Build the robot's group of a composed configuration.

    Raises:
        ConfigError: The robot is not behind ROS 2.
    """
    robot = config["robot"]
    if robot.get("kind") != "ros":
        raise ConfigError(
            f"robot: expected one behind ROS 2, such as mock_ros or crisp_fr3, found kind {robot.get('kind')!r}"
        )
    found = build(RosRobotConfig, {key: robot.get(key) for key in ("kind", "profile")}, "robot")
    for group in ("gripper", "homing"):
        if config.get(group) is not None and getattr(found.profile, group) is None:
            raise ConfigError(f"{group}: the robot's profile takes none; write {group}: ${{{group}}} into its profile")
    return found


def declare_settings(node: Node, prefix: str, settings: T) -> T:
    """Declare each number of a settings dataclass as the parameter `prefix.field`; return the dataclass as given.

    The descriptions with their units come from the dataclass's docstring.

    Raises:
        ConfigError: The numbers are inconsistent.
    """
    described = _described_attributes(type(settings))
    given = {}
    for field in fields(settings):  # type: ignore[arg-type]  # T is a dataclass
        descriptor = ParameterDescriptor(
            type=ParameterType.PARAMETER_DOUBLE,
            description=described[field.name],
            read_only=True,
            floating_point_range=[FloatingPointRange(from_value=0.0, to_value=_LARGEST, step=0.0)],
        )
        name = f"{prefix}.{field.name}"
        node.declare_parameter(name, float(getattr(settings, field.name)), descriptor)
        given[field.name] = node.get_parameter(name).value
    try:
        return dataclasses.replace(settings, **given)  # type: ignore[type-var]  # T is a dataclass
    except ValueError as error:
        raise ConfigError(f"{prefix}: {error}") from None


def _text(node: Node, name: str, default: str, description: str) -> str:
    descriptor = ParameterDescriptor(type=ParameterType.PARAMETER_STRING, description=description, read_only=True)
    node.declare_parameter(name, default, descriptor)
    return str(node.get_parameter(name).value)


def _described_attributes(cls: type) -> dict[str, str]:
    """Return the description of each attribute from a Google-style docstring."""
    found: dict[str, str] = {}
    name = ""
    for line in (inspect.getdoc(cls) or "").partition("Attributes:")[2].splitlines():
        head, colon, text = line.strip().partition(": ")
        if colon and line.startswith("    ") and not line.startswith("     "):
            name, found[head] = head, text
        elif name and line.strip():
            found[name] += f" {line.strip()}"
    return found

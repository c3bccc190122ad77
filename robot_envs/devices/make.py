"""Construction of devices and operators from the `device` group of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steadyhand.robot_envs.devices.device import Device, InputSource
from steadyhand.robot_envs.devices.operator import DeviceOperator
from steadyhand.robot_envs.devices.scripted import ScriptedPerson
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.component import Component, find_component

__all__ = [
    "find_input",
    "held_by_person",
    "input_name",
    "is_over_ros",
    "make_device",
    "make_person",
    "make_stand_in",
]

GROUP = "device"
OVER_ROS = "joy"  # kind of a device that only the ROS 2 actor can make; any other group names a class
TWIST = 6  # entries of an action that move the arm
WITH_GRIPPER = 7


def is_over_ros(values: Mapping[str, Any]) -> bool:
    """Return whether a `device` group is for the ROS 2 actor, which constructs and checks the device itself."""
    return values.get("kind") == OVER_ROS


def find_input(values: Mapping[str, Any]) -> Component[InputSource]:
    """Find the class that a `device` group names, and build its settings.

    Raises:
        ConfigError: The group names no class, or a setting is wrong.
    """
    return find_component(values, InputSource, GROUP)


def held_by_person(values: Mapping[str, Any]) -> bool:
    """Return whether a `device` group names a device held by a person, not a scripted expert.

    Raises:
        ConfigError: As in `find_input`.
    """
    return is_over_ros(values) or find_input(values).type.held_by_person


def input_name(values: Mapping[str, Any]) -> str:
    """Return the short name of a `device` group's source, such as spacemouse.

    Raises:
        ConfigError: As in `find_input`.
    """
    return OVER_ROS if is_over_ros(values) else find_input(values).type.name


def make_device(values: Mapping[str, Any]) -> Device:
    """Construct the device of a `device` group, not yet connected.

    Raises:
        ConfigError: A value is wrong, or the group names a scripted expert.
    """
    if is_over_ros(values):
        raise ConfigError("device: joy comes over ROS, which only the ROS 2 actor speaks; see docs/ros.md")
    return find_component(values, Device, GROUP).make()  # type: ignore[type-abstract]


def make_stand_in(values: Mapping[str, Any]) -> ScriptedPerson:
    """Construct the scripted person of a `device` group that names one.

    Raises:
        ConfigError: A value is wrong, or the group names a device held by a person.
    """
    return find_component(values, ScriptedPerson, GROUP).make()


def make_person(values: Mapping[str, Any], action_size: int, device: Device | None = None) -> DeviceOperator:
    """Connect the device of a `device` group, and return its operator.

    Args:
        values: The group.
        action_size: Entries of an action (A,): 6 move the arm, a seventh is the gripper.
        device: The device, where only the caller can construct it.

    Raises:
        ConfigError: A value is wrong, or the device cannot produce actions of this size.
        DeviceError: The device is missing.
    """
    device = device or make_device(values)
    if action_size not in (TWIST, WITH_GRIPPER):
        raise ConfigError(
            f"device={input_name(values)}: expected a task for one arm, with {TWIST} or {WITH_GRIPPER} entries of an "
            f"action, found {action_size}; choose another task, or device=none"
        )
    device.connect()
    return DeviceOperator(device, action_size == WITH_GRIPPER, float(values["max_age_s"]))

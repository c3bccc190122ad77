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
    "arms_of_input",
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


def arms_of_input(values: Mapping[str, Any]) -> int | None:
    """Return the number of arms that a `device` group moves; None for a scripted expert, which moves any number.

    Raises:
        ConfigError: As in `find_input`.
    """
    if is_over_ros(values):
        return 1
    found = find_input(values).type
    return found.n_arms if issubclass(found, Device) else None


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
        action_size: Entries of an action (A,): for each arm 6 that move it, and a seventh for a learnt gripper.
        device: The device, where only the caller can construct it.

    Raises:
        ConfigError: A value is wrong, or the device cannot produce actions of this size.
        DeviceError: The device is missing.
    """
    device = device or make_device(values)
    n = arms_of_input(values) or 1
    if action_size not in (n * TWIST, n * WITH_GRIPPER):
        arms, others = ("one arm", "device=pair") if n == 1 else (f"{n} arms", "a device for one arm")
        raise ConfigError(
            f"device={input_name(values)}: expected a task for {arms}, with {n * TWIST} or {n * WITH_GRIPPER} entries "
            f"of an action, found {action_size}; choose another task, {others}, or device=none"
        )
    device.connect()
    return DeviceOperator(device, action_size == n * WITH_GRIPPER, float(values["max_age_s"]))

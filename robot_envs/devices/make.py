"""From the `device` group of a configuration to a person with that device in hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steadyhand.robot_envs.devices.device import Device, InputSource
from steadyhand.robot_envs.devices.operator import DeviceOperator
from steadyhand.robot_envs.devices.scripted import ScriptedPerson
from steadyhand.runtime.component import Component, find_component
from steadyhand.runtime.config import ConfigError

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
    """Return whether a `device` group is for the ROS 2 actor, which makes and checks the device itself."""
    return values.get("kind") == OVER_ROS


def find_input(values: Mapping[str, Any]) -> Component[InputSource]:
    """Find the class that a `device` group names, and build its settings.

    Raises:
        ConfigError: The group names none, or a setting is wrong.
    """
    return find_component(values, InputSource, GROUP)


def held_by_person(values: Mapping[str, Any]) -> bool:
    """Return whether a person is behind a `device` group, rather than a stand-in.

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
    """Make the device of a `device` group, not yet connected.

    Raises:
        ConfigError: A value is wrong, or no person holds such a device.
    """
    if is_over_ros(values):
        raise ConfigError("device: joy comes over ROS, which only the ROS 2 actor speaks; see docs/ros.md")
    return find_component(values, Device, GROUP).make()  # type: ignore[type-abstract]


def make_stand_in(values: Mapping[str, Any]) -> ScriptedPerson:
    """Make the stand-in of a `device` group that no person is behind.

    Raises:
        ConfigError: A value is wrong, or a person holds such a device.
    """
    return find_component(values, ScriptedPerson, GROUP).make()


def make_person(values: Mapping[str, Any], action_size: int, device: Device | None = None) -> DeviceOperator:
    """Connect the device of a `device` group, and put it into a person's hand.

    Args:
        values: The group.
        action_size: A of the environment: 6 entries move the arm, a seventh is the gripper.
        device: The device, where the group names one that only the caller can make.

    Raises:
        ConfigError: A value is wrong, or one hand cannot make such actions.
        DeviceError: The device is not there.
    """
    device = device or make_device(values)
    if action_size not in (TWIST, WITH_GRIPPER):
        raise ConfigError(
            f"device={input_name(values)}: expected a task for one arm, with {TWIST} or {WITH_GRIPPER} entries of an "
            f"action, found {action_size}; choose another task, or device=none"
        )
    device.connect()
    return DeviceOperator(device, action_size == WITH_GRIPPER, float(values["max_age_s"]))

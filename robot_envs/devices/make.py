"""From the `device` group of a configuration to a person with that device in hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steadyhand.robot_envs.devices.device import Device
from steadyhand.robot_envs.devices.gamepad import GamepadConfig, make_gamepad
from steadyhand.robot_envs.devices.keyboard import Keyboard, KeyboardConfig
from steadyhand.robot_envs.devices.operator import DeviceOperator
from steadyhand.robot_envs.devices.spacemouse import SpaceMouseConfig, make_spacemouse
from steadyhand.runtime.config import ConfigError, build

__all__ = ["PERSONS", "held_by_person", "make_device", "make_person"]

PERSONS = ("spacemouse", "gamepad", "keyboard")  # devices with a person behind them
OVER_ROS = "joy"  # another one, which only the ROS 2 actor can make
TWIST = 6  # entries of an action that move the arm
WITH_GRIPPER = 7


def held_by_person(values: Mapping[str, Any]) -> bool:
    """Whether a `device` group asks for a person, rather than for a stand-in or nobody."""
    return values.get("kind") in (*PERSONS, OVER_ROS)


def make_device(values: Mapping[str, Any]) -> Device:
    """Make the device of a `device` group, not yet connected.

    Raises:
        ConfigError: A value is wrong, or no person holds such a device.
    """
    if values.get("kind") == "spacemouse":
        return make_spacemouse(build(SpaceMouseConfig, values, "device"))
    if values.get("kind") == "gamepad":
        return make_gamepad(build(GamepadConfig, values, "device"))
    if values.get("kind") == "keyboard":
        return Keyboard(build(KeyboardConfig, values, "device"))
    if values.get("kind") == OVER_ROS:
        raise ConfigError("device: joy comes over ROS, which only the ROS 2 actor speaks; see docs/ros.md")
    raise ConfigError(f"device: expected one of {', '.join(PERSONS)}, found {values.get('kind')!r}")


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
            f"device={values['kind']}: expected a task for one arm, with {TWIST} or {WITH_GRIPPER} entries of an "
            f"action, found {action_size}; choose another task, or device=none"
        )
    device.connect()
    return DeviceOperator(device, action_size == WITH_GRIPPER, float(values["max_age_s"]))

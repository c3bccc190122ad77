"""Two devices in the hands of one operator, one for each arm: the composition of two devices of one arm each."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.devices.device import Device, DeviceError, DeviceSettings, HumanInput, no_reading
from steadyhand.robot_envs.devices.web import WebDevice
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.component import Component, find_component

__all__ = ["SIDES", "DevicePair", "DevicePairConfig"]

SIDES = ("left", "right")


@dataclass(frozen=True)
class DevicePairConfig(DeviceSettings):
    """The two devices, each as its own group `device`.

    Attributes:
        left: Device of the left arm.
        right: Device of the right arm.
    """

    left: dict[str, Any]
    right: dict[str, Any]

    def __post_init__(self) -> None:
        super().__post_init__()
        left, right = (_find(side, getattr(self, side)) for side in SIDES)
        if left.type is right.type and _address(left) == _address(right):
            named = ", ".join(f"{name} {getattr(left.settings, name)}" for name in left.type.address)
            raise ValueError(
                f"left and right: expected two devices, found the same one twice{f' ({named})' if named else ''}; "
                "give one another"
            )


class DevicePair(Device):
    """Two devices as one of two arms. If one of them is lost, both arms hold.

    Args:
        config: The two devices.
    """

    settings_type = DevicePairConfig
    name = "pair"
    n_arms = 2
    remedy = "plug both devices in, see docs/two-arms.md"

    def __init__(self, config: DevicePairConfig) -> None:
        found = [_find(side, getattr(config, side)) for side in SIDES]
        self._devices = [component.make() for component in found]
        self._max_age_s = [float(component.settings.max_age_s) for component in found]

    def listen(self, heard: Callable[[str], None]) -> None:
        """Call `heard` with every button that is pressed on either device."""
        for device in self._devices:
            device.listen(heard)

    def follow(self, tool_poses: NDArray[np.float64]) -> None:
        """Give each device the pose of its own tool."""
        for index, device in enumerate(self._devices):
            device.follow(tool_poses[index : index + 1])

    def connect(self) -> None:
        """Open both devices. Raises DeviceError when one is missing; then neither stays open."""
        for side, device in zip(SIDES, self._devices, strict=True):
            try:
                device.connect()
            except DeviceError as error:
                self.close()
                raise DeviceError(f"{side} arm: {error}") from None

    def poll(self) -> HumanInput:
        """Return the newest readings of both. If one is lost, or silent while it is moved, the age is infinite."""
        readings = [device.poll() for device in self._devices]
        ages = [_age_s(reading, longest) for reading, longest in zip(readings, self._max_age_s, strict=True)]
        is_lost = any(map(math.isinf, ages))
        events = tuple(event for reading in readings for event in reading.events)
        if is_lost:
            return no_reading(events, self.n_arms)
        return HumanInput(
            engaged=np.concatenate([reading.engaged for reading in readings]),
            twist=np.concatenate([reading.twist for reading in readings]),
            gripper=np.concatenate([reading.gripper for reading in readings]),
            events=events,
            age_s=max(ages),
            neutral=all(reading.neutral for reading in readings),
        )

    def close(self) -> None:
        """Close both devices."""
        for device in self._devices:
            device.close()


def _age_s(reading: HumanInput, longest_s: float) -> float:
    is_silent = bool(reading.engaged.any()) and reading.age_s > longest_s
    return math.inf if is_silent else reading.age_s


def _address(component: Component[Device]) -> tuple[Any, ...]:
    """Return what tells the device from another one of its kind; links to one file are the same device."""
    names = component.type.address or [field.name for field in fields(component.settings)]
    values = (getattr(component.settings, name) for name in names)
    return tuple(os.path.realpath(value) if isinstance(value, str) else value for value in values)


def _find(side: str, values: dict[str, Any]) -> Component[Device]:
    """Find a device of the pair.

    Raises:
        ConfigError: It is no device of one arm that this process can open.
    """
    component: Component[Device] = find_component(values, Device, f"device.{side}")  # type: ignore[type-abstract]
    if component.type.n_arms != 1 or issubclass(component.type, WebDevice):
        raise ConfigError(
            f"device.{side}: expected a device for one arm, such as spacemouse, gamepad, udp or keyboard, found "
            f"{component.type.name}; give device@device.{side}=spacemouse"
        )
    return component

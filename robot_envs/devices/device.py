"""The contract of an input device in a person's hand: SpaceMouse, gamepad, keyboard.

A device is one file here, or in a package of the user's own, and one YAML file in `configs/device/`, whose
`entry_point` names the class.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Device",
    "DeviceError",
    "DeviceSettings",
    "HumanInput",
    "InputSettings",
    "InputSource",
    "check_times",
    "no_reading",
]


class DeviceError(RuntimeError):
    """There is no such device, or it cannot be used; the message says what a person has to do."""


@dataclass(frozen=True)
class HumanInput:
    """One reading of a device.

    Attributes:
        engaged: Whether the person is moving each arm. Shape (n_arms,).
        twist: Linear then angular, normalised to [-1, 1], in the tool frame. Shape (n_arms, 6).
        gripper: 1 open, -1 close, 0 leave as it is. Shape (n_arms,).
        events: Buttons pressed since the last reading, by name.
        age_s: How old the reading is [s]. While the device is being moved, the time since it last reported: an old
            reading of a moving hand is no reading. A device at rest has nothing to report, so its age means nothing
            then; it is 0 where the device is known to be there. Infinite when the device is not there, and in the first
            reading after a loss, however short that was.
        neutral: While no arm is engaged: whether the device has been at rest for long enough to know that no hand
            pushes it. A device that is pushed repeats itself within that time.
    """

    engaged: NDArray[np.bool_]
    twist: NDArray[np.float64]
    gripper: NDArray[np.float64]
    events: tuple[str, ...]
    age_s: float
    neutral: bool = True


def check_times(config: object, *names: str) -> None:
    """Raise ValueError for the first of these settings that is not a time above 0 s."""
    for name in names:
        if getattr(config, name) <= 0.0:
            raise ValueError(f"{name}: expected a time above 0 s, found {getattr(config, name)}")


def no_reading(events: tuple[str, ...] = ()) -> HumanInput:
    """What a device for one arm says while it is not there."""
    return HumanInput(np.zeros(1, np.bool_), np.zeros((1, 6)), np.zeros(1), events, math.inf, neutral=False)


@dataclass(frozen=True)
class InputSettings:
    """Settings of every input source.

    Attributes:
        pace: The pace of a simulated robot that this source drives: a person needs real time.
    """

    pace: Literal["realtime", "lockstep"]


@dataclass(frozen=True)
class DeviceSettings(InputSettings):
    """Settings of every device; a subclass adds its own.

    Attributes:
        max_age_s: A moved device whose newest reading is older has fallen silent, and the robot stands still.
    """

    max_age_s: float

    def __post_init__(self) -> None:
        check_times(self, "max_age_s")


class InputSource(ABC):
    """Contract of the class that a `device` group names: a device that a person holds, or a scripted stand-in.

    The class is constructed from an instance of its `settings_type`.

    Attributes:
        settings_type: The dataclass that the YAML file is read into.
        name: Short name, for messages and manifests.
        held_by_person: Whether a person is behind it.
    """

    settings_type: ClassVar[type[Any]]
    name: ClassVar[str]
    held_by_person: ClassVar[bool]


class Device(InputSource):
    """A source of human input that never blocks the control loop.

    Attributes:
        remedy: Steps that bring back a device that is not found; shown by the doctor.
    """

    held_by_person = True
    remedy: ClassVar[str] = "plug the device in, see docs/devices.md"

    def listen(self, heard: Callable[[str], None]) -> None:
        """Call `heard` with the name of every button that is pressed, at once and on the device's own thread.

        `poll` reports the same presses in its events. To be called before ``connect``; `heard` has to return at once.
        """

    @abstractmethod
    def connect(self) -> None:
        """Open the device. Raises DeviceError when there is none."""

    @abstractmethod
    def poll(self) -> HumanInput:
        """The newest reading; never waits for the next one. Raises DeviceError before ``connect``."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the device, once or more often."""

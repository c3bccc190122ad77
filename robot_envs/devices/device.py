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
    """Error of a device that is missing or cannot be used; the message says how to correct it."""


@dataclass(frozen=True)
class HumanInput:
    """One reading of a device.

    Attributes:
        engaged: True while the person is moving the arm, for each arm. Shape (n_arms,).
        twist: Linear then angular, normalised to [-1, 1], in the tool frame. Shape (n_arms, 6).
        gripper: 1 = open, -1 = close, 0 = no change. Shape (n_arms,).
        events: Buttons pressed since the last reading, by name.
        age_s: Age of the reading [s]. While the device is being moved, it is the time since the last report, and an
            old reading must not be used. A device at rest reports nothing, so its age has no meaning; it is 0 where
            the device is known to be present. It is infinite when the device is missing, and in the first reading
            after any loss, even a short one.
        neutral: True if no arm is engaged and the device has been at rest long enough to know that no hand pushes it.
            A pushed device repeats its report within that time.
    """

    engaged: NDArray[np.bool_]
    twist: NDArray[np.float64]
    gripper: NDArray[np.float64]
    events: tuple[str, ...]
    age_s: float
    neutral: bool = True


def check_times(config: object, *names: str) -> None:
    """Raise ValueError for the first named setting that is not a time above 0 s."""
    for name in names:
        if getattr(config, name) <= 0.0:
            raise ValueError(f"{name}: expected a time above 0 s, found {getattr(config, name)}")


def no_reading(events: tuple[str, ...] = (), n_arms: int = 1) -> HumanInput:
    """Return the reading of a missing device."""
    still = np.zeros(n_arms, np.bool_), np.zeros((n_arms, 6)), np.zeros(n_arms)
    return HumanInput(*still, events, math.inf, neutral=False)


@dataclass(frozen=True)
class InputSettings:
    """Settings of every input source.

    Attributes:
        pace: Pace of the simulation that this source drives; a person needs real time.
    """

    pace: Literal["realtime", "lockstep"]


@dataclass(frozen=True)
class DeviceSettings(InputSettings):
    """Settings of every device; a subclass adds its own.

    Attributes:
        max_age_s: Largest age of the newest reading of a moving device. Beyond it the device counts as silent, and the
            robot stands still.
    """

    max_age_s: float

    def __post_init__(self) -> None:
        check_times(self, "max_age_s")


class InputSource(ABC):
    """Contract of the class that a `device` group names: a device held by a person, or a scripted expert.

    The class is constructed from an instance of its `settings_type`.

    Attributes:
        settings_type: The dataclass that the YAML file is read into.
        name: Short name, for messages and manifests.
        held_by_person: True if a person holds the device.
    """

    settings_type: ClassVar[type[Any]]
    name: ClassVar[str]
    held_by_person: ClassVar[bool]


class Device(InputSource):
    """A source of human input that never blocks the control loop.

    Attributes:
        n_arms: Number of arms that the device moves.
        address: Settings that tell one device of this kind from another, such as its path; () = all settings.
        remedy: Steps that correct a missing device; shown by `steadyhand doctor`.
    """

    held_by_person = True
    n_arms: ClassVar[int] = 1
    address: ClassVar[tuple[str, ...]] = ()
    remedy: ClassVar[str] = "plug the device in, see docs/devices.md"

    def listen(self, heard: Callable[[str], None]) -> None:
        """Register `heard`, which is called at once with the name of every pressed button, on the device's own thread.

        `poll` reports the same presses in its events. Call this before ``connect``. `heard` must return at once.
        """

    def follow(self, tool_poses: NDArray[np.float64]) -> None:
        """Take in the measured poses of the tools before `poll`; for a device that is led to a pose.

        Args:
            tool_poses: In a frame that stays for an episode. Shape (n_arms, 7); [m], xyzw.
        """

    @abstractmethod
    def connect(self) -> None:
        """Open the device. Raises DeviceError when there is none."""

    @abstractmethod
    def poll(self) -> HumanInput:
        """Return the newest reading; never wait for the next one. Raises DeviceError before ``connect``."""

    @abstractmethod
    def close(self) -> None:
        """Close the device. Further calls have no effect."""

"""The contract of an input device in a person's hand: SpaceMouse, gamepad, keyboard."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Device", "DeviceError", "HumanInput", "check_times", "no_reading"]


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


class Device(Protocol):
    """A source of human input that never blocks the control loop."""

    def listen(self, heard: Callable[[str], None]) -> None:
        """Call `heard` with the name of every button that is pressed, at once and on the device's own thread.

        `poll` reports the same presses in its events. To be called before ``connect``; `heard` has to return at once.
        """

    def connect(self) -> None:
        """Open the device. Raises DeviceError when there is none."""

    def poll(self) -> HumanInput:
        """The newest reading; never waits for the next one. Raises DeviceError before ``connect``."""

    def close(self) -> None:
        """Let go of the device, once or more often."""

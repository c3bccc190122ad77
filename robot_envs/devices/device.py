"""The contract of an input device in a person's hand: SpaceMouse, gamepad, keyboard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class HumanInput:
    """One reading of a device.

    Attributes:
        engaged: Whether the person is moving each arm. Shape (n_arms,).
        twist: Linear then angular, normalised to [-1, 1], in the tool frame. Shape (n_arms, 6).
        gripper: 1 open, -1 close, 0 leave as it is. Shape (n_arms,).
        events: Buttons pressed since the last reading, by name.
        age_s: Time since the device last reported [s]; an old reading is no reading.
    """

    engaged: NDArray[np.bool_]
    twist: NDArray[np.float64]
    gripper: NDArray[np.float64]
    events: tuple[str, ...]
    age_s: float


class Device(Protocol):
    """A source of human input that never blocks the control loop."""

    def connect(self) -> None:
        """Open the device. Raises RuntimeError when there is none."""

    def poll(self) -> HumanInput:
        """The newest reading; never waits for the next one."""

    def close(self) -> None:
        """Let go of the device."""

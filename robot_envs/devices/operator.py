"""Whoever may take over from the policy, and says when it is safe to go on."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from robot_envs.devices.device import Device


class Operator(Protocol):
    """A person at the robot, or a stand-in."""

    def reset(self, info: dict[str, Any]) -> None:
        """A new episode starts."""

    def act(
        self, observation: dict[str, NDArray[Any]], info: dict[str, Any], policy_action: NDArray[np.float32] | None
    ) -> NDArray[np.float32] | None:
        """The action that the operator wants, shape (A,) in [-1, 1]; None while not engaged."""

    def may_resume(self, stop_reason: str) -> bool:
        """Whether the operator has said that it is safe to go on after a stop."""


class NoOperator:
    """Nobody helps. After a stop in simulation practice goes on; there is nobody it could hurt."""

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing to prepare."""

    def act(
        self, observation: dict[str, NDArray[Any]], info: dict[str, Any], policy_action: NDArray[np.float32] | None
    ) -> NDArray[np.float32] | None:
        """Never engaged."""
        return None

    def may_resume(self, stop_reason: str) -> bool:
        """Always."""
        return True


class DeviceOperator:
    """A person with an input device in hand.

    Args:
        device: The device, connected.
        learns_gripper: Whether the action has a gripper entry per arm.
        max_age_s: A reading older than this does not count as engaged.
    """

    def __init__(self, device: Device, learns_gripper: bool, max_age_s: float) -> None:
        self._device = device
        self._learns_gripper = learns_gripper
        self._max_age_s = max_age_s
        self._resume_pressed = False
        self._in_control = False

    def reset(self, info: dict[str, Any]) -> None:
        """A button that was pressed before counts no more; a device that fell silent is still silent."""
        self._resume_pressed = False

    def act(
        self, observation: dict[str, NDArray[Any]], info: dict[str, Any], policy_action: NDArray[np.float32] | None
    ) -> NDArray[np.float32] | None:
        """The device's twist as an action. Arms that are not engaged stand still.

        A device that falls silent while the person is in control stands for standing still, not for letting go: the
        policy does not take over until the device says that it may.
        """
        reading = self._device.poll()
        self._resume_pressed = "resume" in reading.events
        silent = reading.age_s > self._max_age_s
        if not silent:
            self._in_control = bool(reading.engaged.any())
        if not self._in_control:
            return None
        moving = reading.engaged & (not silent)
        twist = reading.twist * moving[:, None]
        gripper = reading.gripper[:, None] * moving[:, None]
        action = np.concatenate([twist, gripper], axis=1) if self._learns_gripper else twist
        clipped: NDArray[np.float32] = np.clip(action, -1.0, 1.0).astype(np.float32).ravel()
        return clipped

    def may_resume(self, stop_reason: str) -> bool:
        """Whether the device's resume button has been pressed since the last question."""
        pressed = self._resume_pressed or "resume" in self._device.poll().events
        self._resume_pressed = False
        return pressed

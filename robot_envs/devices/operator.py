"""Whoever may take over from the policy, and says when it is safe to go on."""

from __future__ import annotations

import math
from enum import Enum
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.devices.device import Device, HumanInput
from steadyhand.robot_envs.devices.mapping import PARK, RESUME
from steadyhand.runtime.logging import get_logger

__all__ = ["HOLD", "DeviceOperator", "Hold", "NoOperator", "Operator", "Wish"]

logger = get_logger("operator")


class Hold(Enum):
    """Neither an action nor leave for the policy: the robot is to stand still."""

    HOLD = "hold"


HOLD: Literal[Hold.HOLD] = Hold.HOLD
# What an operator wants in one step: an action, shape (A,) in [-1, 1]; HOLD; None = the policy may act.
Wish = NDArray[np.float32] | Literal[Hold.HOLD] | None


class Operator(Protocol):
    """A person at the robot, or a stand-in."""

    def reset(self, info: dict[str, Any]) -> None:
        """A new episode starts."""

    def act(
        self, observation: dict[str, NDArray[Any]], info: dict[str, Any], policy_action: NDArray[np.float32] | None
    ) -> Wish:
        """The action that the operator wants, shape (A,) in [-1, 1]; None while not engaged; HOLD to stand still.

        An action is what somebody shows, and is learnt from as such. HOLD is nobody's action.
        """

    def may_resume(self, stop_reason: str) -> bool:
        """Whether the operator has said that it is safe to go on after a stop."""

    def wants_park(self) -> bool:
        """Whether the operator has asked for a break since this was asked last."""

    def close(self) -> None:
        """Let go of whatever the operator holds in hand."""


class NoOperator:
    """Nobody helps. After a stop in simulation practice goes on; there is nobody it could hurt."""

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing to prepare."""

    def act(
        self, observation: dict[str, NDArray[Any]], info: dict[str, Any], policy_action: NDArray[np.float32] | None
    ) -> Wish:
        """Never engaged."""
        return None

    def may_resume(self, stop_reason: str) -> bool:
        """Always."""
        return True

    def wants_park(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """Nothing to let go of."""


class DeviceOperator:
    """A person with an input device in hand.

    A device that fell silent says nothing about the person: whether it was pushed or at rest, the robot stands still,
    and it does so until the person moves the device again. Being plugged in again, or started again, is not enough.

    A device has authority only after it was seen at rest: one that is held pushed when an episode begins, or when it
    comes back after a loss, moves nothing until it was let go.

    Args:
        device: The device, connected.
        learns_gripper: Whether the action has a gripper entry per arm.
        max_age_s: A reading of a moving device that is older than this counts for nothing.
    """

    def __init__(self, device: Device, learns_gripper: bool, max_age_s: float) -> None:
        self._device = device
        self._learns_gripper = learns_gripper
        self._max_age_s = max_age_s
        self.reading: HumanInput | None = None  # the newest one
        self._lost = False
        self._armed = False  # whether it was seen at rest since the episode began, and since it was lost
        self._asked = False
        self._parks = False
        self._warned = False

    def reset(self, info: dict[str, Any]) -> None:
        """Ask for neutral anew. A device that was silent before the episode still is."""
        self._armed = False

    def act(
        self, observation: dict[str, NDArray[Any]], info: dict[str, Any], policy_action: NDArray[np.float32] | None
    ) -> Wish:
        """The device's twist as an action; arms that are not engaged stand still.

        HOLD after the device was silent, and while it is pushed without having been at rest before.
        """
        reading = self.reading = self._device.poll()
        self._asked = False
        self._parks = self._parks or PARK in reading.events
        engaged = bool(reading.engaged.any())
        self._note_rest(reading, engaged)
        self._note_loss(reading.age_s, engaged)
        if self._lost or (engaged and not self._armed):
            return HOLD
        return self._action(reading) if engaged else None

    def may_resume(self, stop_reason: str) -> bool:
        """Whether the resume button has been pressed since the first time that this was asked after a step.

        What was pressed before is no answer: nobody had asked yet.
        """
        self.reading = self._device.poll()
        pressed = RESUME in self.reading.events
        answered, self._asked = self._asked and pressed, True
        return answered

    def wants_park(self) -> bool:
        """Whether the park button has been pressed in an episode."""
        wanted, self._parks = self._parks, False
        return wanted

    def close(self) -> None:
        """Let go of the device."""
        self._device.close()

    def _note_rest(self, reading: HumanInput, engaged: bool) -> None:
        if self._is_silent(reading.age_s, engaged):
            self._armed = False
        elif not engaged:
            self._armed = self._armed or reading.neutral
        if engaged and not self._armed and not self._warned:
            logger.warning("the input device was never at rest so far; the robot stands still until it is let go")
        self._warned = engaged and not self._armed

    def _note_loss(self, age_s: float, engaged: bool) -> None:
        silent = self._is_silent(age_s, engaged)
        if silent and not self._lost:
            logger.warning("the input device is silent; the robot stands still until somebody moves the device again")
        self._lost = silent or (self._lost and not (engaged and self._armed))

    def _is_silent(self, age_s: float, engaged: bool) -> bool:
        # At rest only a device that is gone is silent: one that is there has nothing to say.
        return math.isinf(age_s) or (engaged and age_s > self._max_age_s)

    def _action(self, reading: HumanInput) -> NDArray[np.float32]:
        moving = reading.engaged[:, None]
        twist, gripper = reading.twist * moving, reading.gripper[:, None] * moving
        action = np.concatenate([twist, gripper], axis=1) if self._learns_gripper else twist
        clipped: NDArray[np.float32] = np.clip(action, -1.0, 1.0).astype(np.float32).ravel()
        return clipped

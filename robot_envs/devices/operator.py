"""Operators: they may take over from the policy, and they confirm when motion may resume."""

from __future__ import annotations

import math
from enum import Enum
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.devices.device import Device, HumanInput
from steadyhand.robot_envs.devices.mapping import PARK, RESUME
from steadyhand.robot_envs.frames import pose_from_vector
from steadyhand.runtime.logging import get_logger

__all__ = ["HOLD", "DeviceOperator", "Hold", "NoOperator", "Operator", "Wish"]

TOOL_POSE = "tcp_pose"  # observation of an arm: its tool since the episode's start, position and rotation vector
MOTION = 6

logger = get_logger("operator")


class Hold(Enum):
    """Request to stand still: there is no action, and the policy may not act either."""

    HOLD = "hold"


HOLD: Literal[Hold.HOLD] = Hold.HOLD
# The operator's request in one step: an action, shape (A,) in [-1, 1]; HOLD; None = the policy may act.
Wish = NDArray[np.float32] | Literal[Hold.HOLD] | None


class Operator(Protocol):
    """A person at the robot, or a scripted operator."""

    def reset(self, info: dict[str, Any]) -> None:
        """Start a new episode."""

    def act(
        self, observation: dict[str, NDArray[Any]], info: dict[str, Any], policy_action: NDArray[np.float32] | None
    ) -> Wish:
        """Return the operator's action, shape (A,) in [-1, 1]; None while not engaged; HOLD to stand still.

        An action counts as an intervention, and the policy is trained on it. HOLD does not.
        """

    def may_resume(self, stop_reason: str) -> bool:
        """Return whether the operator has confirmed that it is safe to resume after a stop."""

    def wants_park(self) -> bool:
        """Return whether the operator has requested a break since the last call."""

    def close(self) -> None:
        """Close the operator's device, if there is one."""


class NoOperator:
    """No operator: the policy is never interrupted. A stop in simulation is resumed at once."""

    def reset(self, info: dict[str, Any]) -> None:
        """Do nothing: there is no state."""

    def act(
        self, observation: dict[str, NDArray[Any]], info: dict[str, Any], policy_action: NDArray[np.float32] | None
    ) -> Wish:
        """Return None: never engaged."""
        return None

    def may_resume(self, stop_reason: str) -> bool:
        """Return True: in simulation, resuming is always safe."""
        return True

    def wants_park(self) -> bool:
        """Return False: never requests a break."""
        return False

    def close(self) -> None:
        """Do nothing: there is no device."""


class DeviceOperator:
    """A person with an input device in hand.

    When the device falls silent, pushed or at rest, the robot stands still until the person moves the device again.
    Plugging it in or starting it again is not enough.

    The device has authority only after it was seen at rest. If it is pushed when an episode begins, or when it returns
    after a loss, it moves nothing until it is released.

    Args:
        device: The device, connected.
        learns_gripper: True if the action has a gripper entry per arm.
        max_age_s: Largest age of a valid reading of a moving device.
    """

    def __init__(self, device: Device, learns_gripper: bool, max_age_s: float) -> None:
        self._device = device
        self._learns_gripper = learns_gripper
        self._max_age_s = max_age_s
        self.reading: HumanInput | None = None  # the newest one
        self._lost = False
        self._armed = False  # seen at rest since the episode began, and since the last loss
        self._asked = False
        self._parks = False
        self._warned = False

    def reset(self, info: dict[str, Any]) -> None:
        """Require neutral again. A device that was silent before the episode still counts as silent."""
        self._armed = False

    def act(
        self, observation: dict[str, NDArray[Any]], info: dict[str, Any], policy_action: NDArray[np.float32] | None
    ) -> Wish:
        """Return the device's twist as an action; arms that are not engaged stand still.

        Return HOLD after the device was silent, and while it is pushed before it was seen at rest.
        """
        tools = observation.get(TOOL_POSE)
        if tools is not None and tools.size == self._device.n_arms * MOTION:
            self._device.follow(pose_from_vector(tools.reshape(-1, MOTION).astype(np.float64)))
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
        """Return whether the resume button has been pressed since the first call of this method after a step.

        Earlier presses do not count, because no confirmation was requested yet.
        """
        self.reading = self._device.poll()
        pressed = RESUME in self.reading.events
        answered, self._asked = self._asked and pressed, True
        return answered

    def wants_park(self) -> bool:
        """Return whether the park button has been pressed in an episode since the last call."""
        wanted, self._parks = self._parks, False
        return wanted

    def close(self) -> None:
        """Close the device."""
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
            logger.warning("the input device is silent; the robot stands still until the operator moves the device")
        self._lost = silent or (self._lost and not (engaged and self._armed))

    def _is_silent(self, age_s: float, engaged: bool) -> bool:
        # A device at rest reports nothing, so at rest only a missing device counts as silent.
        return math.isinf(age_s) or (engaged and age_s > self._max_age_s)

    def _action(self, reading: HumanInput) -> NDArray[np.float32]:
        moving = reading.engaged[:, None]
        twist, gripper = reading.twist * moving, reading.gripper[:, None] * moving
        action = np.concatenate([twist, gripper], axis=1) if self._learns_gripper else twist
        clipped: NDArray[np.float32] = np.clip(action, -1.0, 1.0).astype(np.float32).ravel()
        return clipped

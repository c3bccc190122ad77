"""The gripper buttons of a scripted person: held down, or pressed for a moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from steadyhand.runtime.gripper_entry import gripper_wish

__all__ = ["GripperButton"]


class GripperButton:
    """Turns the wanted state of each gripper into presses of its buttons.

    The person sees the fingers, and presses a button only if they shall be in another state than the commanded one.
    Between two presses the entry is 0: no button is down.

    Args:
        entries: Indices of the gripper entries in an action (A,), one per arm.
        commanded: Returns the commanded states (n_arms,): 1 open, -1 closed, 0 neither.
        press_steps: Steps for which a button is down.
    """

    def __init__(self, entries: Sequence[int], commanded: Callable[[], NDArray[np.float64]], press_steps: int) -> None:
        self._entries = list(entries)
        self._commanded, self._press_steps = commanded, press_steps
        self._button = np.zeros(len(self._entries))  # 1 open, -1 close, 0 none is down
        self._left = np.zeros(len(self._entries), np.int64)  # steps until it is released, this one included

    @property
    def is_down(self) -> bool:
        """True if a button was down in the newest step."""
        return bool(self._button.any())

    def reset(self) -> None:
        """Release every button."""
        self._button[:], self._left[:] = 0.0, 0

    def press(self, wanted: NDArray[np.float32], action: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return `action` with the buttons of this step in its gripper entries.

        Args:
            wanted: Action of the expert (A,); its gripper entries are the wanted states.
            action: Action of the hand (A,).
        """
        self._left = np.maximum(self._left - 1, 0)
        self._button = np.where(self._left > 0, self._button, 0.0)
        wish = gripper_wish(wanted[self._entries])
        begins = (wish != 0.0) & (wish != self._commanded()) & (wish != self._button)
        self._button = np.where(begins, wish, self._button)
        self._left = np.where(begins, self._press_steps, self._left)
        pressed = action.copy()
        pressed[self._entries] = self._button
        return pressed

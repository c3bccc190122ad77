"""Gripper entries that are presses of a button, as the wanted state that this package records.

SERL (rail-berkeley/serl at cd5f7e7) and HIL-SERL (rail-berkeley/hil-serl at 5d02aed) record the button. While the
left one is down the entry is drawn from [-1, -0.9] and closes, while the right one is down from [0.9, 1] and opens,
and else it is 0 (serl_robot_infra/franka_env/envs/wrappers.py, lines 196 to 204 of SERL and 233 to 241 of HIL-SERL).
The robot closes an open gripper at -0.5 or less, opens a closed one at 0.5 or more, and leaves it else (franka_env.py
beside it, lines 388 to 408 of SERL, with 0.5 in line 62, and 424 to 436 of HIL-SERL).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["GripperMeaning", "GripperStart", "wanted_states"]

GripperMeaning = Literal["press", "state"]
GripperStart = Literal["inferred", "open", "closed"]

PRESSED_FROM = 0.5  # smallest magnitude of a press
OPEN, CLOSED = 1.0, -1.0


def wanted_states(actions: NDArray[np.float32], entries: Sequence[int], start: GripperStart) -> NDArray[np.float32]:
    """Return the actions of one episode with the wanted state in every gripper entry: 1 open, -1 closed.

    A press counts until the opposite one. Before the first press the state is `start`; inferred, it is the opposite of
    the first press, which else would not have moved the gripper, and 0 (no change) in an episode without a press.

    Args:
        actions: Actions within [-1, 1], whose gripper entries are presses. Shape (T, A).
        entries: Indices of the gripper entries.
        start: State in which an episode begins.
    """
    stated = actions.copy()
    for entry in entries:
        column = actions[:, entry]
        presses = np.where(np.abs(column) >= PRESSED_FROM, np.sign(column), 0.0)
        pressed = np.flatnonzero(presses)
        if start == "inferred":
            first = -presses[pressed[0]] if len(pressed) else 0.0
        else:
            first = OPEN if start == "open" else CLOSED
        # For each step the newest press so far; -1 = none yet.
        newest = np.searchsorted(pressed, np.arange(len(column)), side="right") - 1
        stated[:, entry] = np.where(newest >= 0, presses[pressed][newest] if len(pressed) else 0.0, first)
    return stated

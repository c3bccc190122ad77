"""The pose that an arm holds while no motion is asked for: measured once, and kept until the next motion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import Array

__all__ = ["HeldPose"]


class HeldPose:
    """Reference poses of relative actions (docs/decisions/0014-a-hold-holds.md).

    A relative action starts from the measured pose, as in SERL. An action of zero does not: commanding the measured
    pose again and again lets the arm creep by its own steady error at every step.

    Args:
        n_arms: Number of arms; each holds by itself.
    """

    def __init__(self, n_arms: int) -> None:
        self._is_held = np.zeros(n_arms, np.bool_)
        self._pose = np.zeros((n_arms, 7))

    def release(self) -> None:
        """Forget the held poses: the arms were moved by something else."""
        self._is_held[:] = False

    @property
    def is_moving(self) -> bool:
        """Whether an arm was asked to move by the newest action."""
        return not self._is_held.all()

    def reference(self, measured: Array, moving: NDArray[np.bool_]) -> Array:
        """The pose that each arm's action starts from.

        Args:
            measured: Base frame. Shape (n_arms, 7).
            moving: Whether the action moves the arm. Shape (n_arms,).

        Returns:
            Shape (n_arms, 7): the measured pose, or for an arm that does not move the one at which it came to hold.
        """
        taken = ~moving & ~self._is_held
        self._pose[taken] = measured[taken]
        self._is_held = ~moving
        return np.where(self._is_held[:, None], self._pose, measured)

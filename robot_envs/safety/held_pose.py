"""The pose that an arm holds while no motion is commanded: measured once, and kept until the next motion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import Array

__all__ = ["HeldPose"]


class HeldPose:
    """Reference poses of relative actions (docs/decisions/0014-a-hold-holds.md).

    A relative action starts from the measured pose, as in SERL. An action of zero does not: with the measured pose as
    the command of every step, the arm would drift by its steady error at every step.

    Args:
        n_arms: Number of arms; each one holds its own pose.
    """

    def __init__(self, n_arms: int) -> None:
        self._is_held = np.zeros(n_arms, np.bool_)
        self._pose = np.zeros((n_arms, 7))

    def release(self) -> None:
        """Forget the held poses, because the arms were moved in another way."""
        self._is_held[:] = False

    @property
    def is_moving(self) -> bool:
        """True if the newest action moves an arm."""
        return not self._is_held.all()

    def reference(self, measured: Array, moving: NDArray[np.bool_]) -> Array:
        """Return the pose from which each arm's action starts.

        Args:
            measured: Measured poses, base frame. Shape (n_arms, 7).
            moving: True for each arm that the action moves. Shape (n_arms,).

        Returns:
            The measured pose, or for an arm that does not move, the pose that it holds. Shape (n_arms, 7).
        """
        taken = ~moving & ~self._is_held
        self._pose[taken] = measured[taken]
        self._is_held = ~moving
        return np.where(self._is_held[:, None], self._pose, measured)

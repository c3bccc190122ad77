"""Motion of a leader's tool, handed out as steps of the follower's tool."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import Array, pose_compose, pose_from_vector, pose_relative, pose_to_vector

__all__ = ["LeaderMotion"]


class LeaderMotion:
    """The motion of a leader since it was coupled, less the motion that was handed out.

    The first pose after coupling is the reference, so coupling moves nothing. The rest that one step cannot take is
    handed out by the next ones, up to `lag_steps`; beyond it motion is dropped. So the follower stops at most so many
    steps after the leader.

    Args:
        step_m: Motion of the follower's tool in one step at full deflection.
        step_rad: The same for its rotation.
        scale: Translation of the follower per translation of the leader; rotations are the leader's.
        lag_steps: Steps that the follower may be behind.
    """

    def __init__(self, step_m: float, step_rad: float, scale: float, lag_steps: float) -> None:
        self._full: NDArray[np.float64] = np.repeat([step_m / scale, step_rad], 3)  # leader's motion of a full step
        self._lag_steps = lag_steps
        self._handed: Array | None = None

    @property
    def is_coupled(self) -> bool:
        """True while the leader's motion counts."""
        return self._handed is not None

    def release(self) -> None:
        """Uncouple the leader; the motion that was not handed out is dropped."""
        self._handed = None

    def twist(self, pose: Array, share: float) -> NDArray[np.float64]:
        """Return the twist (6,) in [-1, 1] in the tool frame, and count its motion as handed out.

        Args:
            pose: The leader's tool. Shape (7,).
            share: Share of a step for which the twist is commanded, in [0, 1].
        """
        if self._handed is None:
            self._handed = pose
        steps = pose_to_vector(pose_relative(self._handed, pose)) / self._full
        behind = float(np.abs(steps).max())
        if behind > self._lag_steps:
            dropped = steps * (1.0 - self._lag_steps / behind)
            self._handed = pose_compose(self._handed, pose_from_vector(dropped * self._full))
            steps, behind = steps - dropped, self._lag_steps
        twist: NDArray[np.float64] = steps / max(behind, 1.0)
        self._handed = pose_compose(self._handed, pose_from_vector(twist * share * self._full))
        return twist

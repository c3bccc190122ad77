"""Motion of a leader's tool as steps of the follower's tool."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import Array, pose, pose_compose, pose_from_vector, pose_relative, pose_to_vector

__all__ = ["LeaderMotion"]


class _Reference(NamedTuple):
    """Poses at which both tools are taken to agree, each in its own base frame. Shapes (7,)."""

    leader: Array
    follower: Array


class LeaderMotion:
    """Steps that bring the follower's tool to where the leader's motion since coupling has it.

    Coupling takes both tools to agree where they are, so it moves nothing. The rest that one step cannot take is left
    to the next ones, up to `lag_steps`; motion beyond it is dropped. So the follower stops at most so many steps after
    the leader.

    Args:
        step_m: Motion of the follower's tool in one step at full deflection.
        step_rad: The same for its rotation.
        scale: Translation of the follower per translation of the leader; rotations are the leader's.
        lag_steps: Steps that the follower may be behind.
    """

    def __init__(self, step_m: float, step_rad: float, scale: float, lag_steps: float) -> None:
        self._full: NDArray[np.float64] = np.repeat([step_m, step_rad], 3)
        self._scale, self._lag_steps = scale, lag_steps
        self._follower = pose(np.zeros(3))  # newest known one
        self._reference: _Reference | None = None

    def follow(self, follower: Array) -> None:
        """Take in the measured pose of the follower's tool, (7,). Without it every step counts as made."""
        self._follower = follower

    def couple(self, leader: Array) -> None:
        """Couple the leader where its tool was, (7,); without this call `twist` couples it where it is."""
        self._reference = _Reference(leader, self._follower)

    def release(self) -> None:
        """Uncouple the leader; the motion that is left is dropped."""
        self._reference = None

    def twist(self, leader: Array, share: float) -> NDArray[np.float64]:
        """Return the twist (6,) in [-1, 1] of the next step, in the follower's tool frame.

        Args:
            leader: The leader's tool. Shape (7,).
            share: Share of a step for which the twist is commanded, in [0, 1].
        """
        reference = self._reference or _Reference(leader, self._follower)
        led = pose_relative(reference.leader, leader)
        led[:3] *= self._scale
        wanted = pose_compose(reference.follower, led)
        steps = pose_to_vector(pose_relative(self._follower, wanted)) / self._full
        behind = float(np.abs(steps).max())
        if behind > self._lag_steps:
            steps *= self._lag_steps / behind
            behind, reference = self._lag_steps, _Reference(leader, self._ahead(steps))
        self._reference = reference
        twist: NDArray[np.float64] = steps / max(behind, 1.0)
        self._follower = self._ahead(twist * share)
        return twist

    def _ahead(self, steps: NDArray[np.float64]) -> Array:
        return pose_compose(self._follower, pose_from_vector(steps * self._full))

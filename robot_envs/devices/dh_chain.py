"""Forward kinematics of an arm from its Denavit-Hartenberg parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from steadyhand.robot_envs.frames import Array, pose, pose_compose, pose_from_vector, quat_from_matrix

__all__ = ["DhChain"]


class DhChain:
    """A chain of revolute joints, and a tool behind the last one.

    Args:
        dh: Rows a [m], d [m] and alpha [rad] in Craig's convention: a and alpha of the link before the joint. Shape
            (n, 3). Source: J. Craig, Introduction to Robotics, section 3.6.
        tool: Pose of the tool in the last joint's frame, position then rotation vector. Shape (6,); [m], [rad].
    """

    def __init__(self, dh: Sequence[Sequence[float]], tool: ArrayLike) -> None:
        a, d, alpha = np.asarray(dh, np.float64).T
        self._links = np.zeros((len(a), 4, 4))
        cos, sin = np.cos(alpha), np.sin(alpha)
        self._links[:, 0, 0] = self._links[:, 3, 3] = 1.0
        self._links[:, 1, 1], self._links[:, 1, 2] = cos, -sin
        self._links[:, 2, 1], self._links[:, 2, 2] = sin, cos
        self._links[:, :3, 3] = np.stack([a, -sin * d, cos * d], axis=1)
        self._tool = pose_from_vector(np.asarray(tool, np.float64))

    @property
    def n_joints(self) -> int:
        """Number of joints."""
        return len(self._links)

    def pose(self, joints_rad: NDArray[np.float64]) -> Array:
        """Return the tool's pose in the base frame, (7,), for joint positions (n,) [rad]."""
        chain = np.eye(4)
        for link, cos, sin in zip(self._links, np.cos(joints_rad), np.sin(joints_rad), strict=True):
            joint = np.eye(4)
            joint[:2, :2] = [[cos, -sin], [sin, cos]]
            chain = chain @ link @ joint
        last = pose(chain[:3, 3], quat_from_matrix(chain[:3, :3]))
        return pose_compose(last, self._tool)

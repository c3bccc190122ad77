"""Orientations as quaternions: the mean of several, and the angles between them."""

from __future__ import annotations

import numpy as np

from steadyhand.robot_envs.frames import Array, quat_inverse, quat_multiply, rotvec_from_quat

__all__ = ["angles_from", "mean_quat"]


def mean_quat(quats: Array) -> Array:
    """Return the mean orientation of quaternions xyzw. Shape (n, 4) to (4,).

    The eigenvector of the largest eigenvalue of the sum of q q^T; the sign of a quaternion has no effect (Markley et
    al. 2007, "Averaging quaternions", equation 12).
    """
    _, vectors = np.linalg.eigh(quats.T @ quats)
    mean: Array = vectors[:, -1]
    return mean if mean @ quats[0] >= 0.0 else -mean


def angles_from(quat: Array, quats: Array) -> Array:
    """Return the angles between one orientation (4,) and others (n, 4). Shape (n,); [rad], in [0, pi]."""
    turns = rotvec_from_quat(quat_multiply(quat_inverse(quat), quats))
    angles: Array = np.linalg.norm(turns, axis=-1)
    return angles

"""Rotations and poses as arrays of matrices, for least squares over many views at once.

`robot_envs/frames.py` works row by row on poses (7,); here the same poses are a rotation (n, 3, 3) and a translation
(n, 3) [m]. `b_in_a` maps coordinates of b to those of a.
"""

from __future__ import annotations

import numpy as np

from steadyhand.robot_envs.frames import Array, quat_from_matrix

__all__ = [
    "Rigid",
    "angle_of",
    "compose",
    "cross_matrix",
    "inverse",
    "matrix_from_quat",
    "matrix_from_rotvec",
    "nearest_rotation",
    "pose_from_rigid",
    "rigid_from_pose",
    "rotvec_from_matrix",
]

Rigid = tuple[Array, Array]  # rotation (..., 3, 3), translation (..., 3) [m]
_SMALL = 1e-12


def matrix_from_quat(quat: Array) -> Array:
    """Convert unit quaternions xyzw (..., 4) to rotation matrices (..., 3, 3)."""
    vector, real = quat[..., :3], quat[..., 3, None, None]
    skew = cross_matrix(vector)
    turn: Array = np.eye(3) + 2.0 * (real * skew + skew @ skew)
    return turn


def matrix_from_rotvec(rotvec: Array) -> Array:
    """Convert rotation vectors (..., 3) [rad] to matrices (..., 3, 3), by Rodrigues' formula."""
    angle = np.linalg.norm(rotvec, axis=-1)[..., None, None]
    skew = cross_matrix(rotvec)
    # sinc keeps both factors finite at 0: sin(a)/a and (1 - cos(a))/a^2.
    sine, cosine = np.sinc(angle / np.pi), 0.5 * np.sinc(angle / (2.0 * np.pi)) ** 2
    turn: Array = np.eye(3) + sine * skew + cosine * (skew @ skew)
    return turn


def rotvec_from_matrix(matrix: Array) -> Array:
    """Convert matrices (..., 3, 3) to the shortest rotation vectors (..., 3) [rad]."""
    quat = quat_from_matrix(matrix)
    quat = np.where(quat[..., 3:] < 0.0, -quat, quat)
    sine = np.linalg.norm(quat[..., :3], axis=-1, keepdims=True)
    scale = np.where(sine < _SMALL, 2.0, 2.0 * np.arctan2(sine, quat[..., 3:]) / np.maximum(sine, _SMALL))
    rotvec: Array = scale * quat[..., :3]
    return rotvec


def angle_of(matrix: Array) -> Array:
    """Return the angle of rotation matrices (..., 3, 3) [rad], in [0, pi]."""
    angle: Array = np.linalg.norm(rotvec_from_matrix(matrix), axis=-1)
    return angle


def cross_matrix(vector: Array) -> Array:
    """Return the matrix (..., 3, 3) with which `matrix @ b` is the cross product of `vector` (..., 3) and b."""
    x, y, z = np.moveaxis(vector, -1, 0)
    zero = np.zeros_like(x)
    return np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*x.shape, 3, 3)


def nearest_rotation(matrix: Array) -> Array:
    """Return the rotation (3, 3) nearest to a matrix, by its singular value decomposition (Arun et al. 1987)."""
    left, _, right = np.linalg.svd(matrix)
    turn: Array = left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right
    return turn


def compose(outer: Rigid, inner: Rigid) -> Rigid:
    """Compose b_in_a and c_in_b to c_in_a; leading axes are broadcast."""
    return outer[0] @ inner[0], np.einsum("...ij,...j->...i", outer[0], inner[1]) + outer[1]


def inverse(rigid: Rigid) -> Rigid:
    """Return a_in_b of b_in_a."""
    back = np.swapaxes(rigid[0], -1, -2)
    return back, -np.einsum("...ij,...j->...i", back, rigid[1])


def rigid_from_pose(pose: Array) -> Rigid:
    """Convert poses (..., 7), position [m] and quaternion xyzw."""
    return matrix_from_quat(pose[..., 3:]), np.array(pose[..., :3])


def pose_from_rigid(rigid: Rigid) -> Array:
    """Convert to poses (..., 7), position [m] and quaternion xyzw with w >= 0."""
    quat = quat_from_matrix(rigid[0])
    return np.concatenate([rigid[1], np.where(quat[..., 3:] < 0.0, -quat, quat)], axis=-1)

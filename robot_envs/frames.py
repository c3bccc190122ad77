"""Rotations and poses in numpy: quaternions xyzw, poses (..., 7) as position [m] then quaternion, any leading axes.

``pose_compose(a_to_b, b_to_c)`` reads from left to right; a pose named ``tool_in_base`` maps tool coordinates to
base coordinates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

IDENTITY_QUAT = np.array([0.0, 0.0, 0.0, 1.0])
_SMALL_ANGLE = 1e-8
# Structure constants: row i holds the matrix that multiplying by the i-th unit vector is, flattened.
_CROSS = np.array(
    [
        [[0, 0, 0], [0, 0, -1], [0, 1, 0]],
        [[0, 0, 1], [0, 0, 0], [-1, 0, 0]],
        [[0, -1, 0], [1, 0, 0], [0, 0, 0]],
    ],
    dtype=np.float64,
).reshape(3, 9)
_HAMILTON = np.array(
    [
        [[0, 0, 0, 1], [0, 0, -1, 0], [0, 1, 0, 0], [-1, 0, 0, 0]],
        [[0, 0, 1, 0], [0, 0, 0, 1], [-1, 0, 0, 0], [0, -1, 0, 0]],
        [[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, -1, 0]],
        [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
    ],
    dtype=np.float64,
).reshape(4, 16)


def quat_multiply(a: Array, b: Array) -> Array:
    """Hamilton product: the rotation ``b`` followed by ``a``. Shapes (..., 4), xyzw."""
    return _bilinear(a, b, _HAMILTON)


def quat_inverse(quat: Array) -> Array:
    """The opposite rotation of a unit quaternion. Shape (..., 4)."""
    opposite: Array = quat * np.array([-1.0, -1.0, -1.0, 1.0])
    return opposite


def quat_normalise(quat: Array) -> Array:
    """Scale to unit length. Shape (..., 4)."""
    unit: Array = quat / np.linalg.norm(quat, axis=-1, keepdims=True)
    return unit


def quat_rotate(quat: Array, vector: Array) -> Array:
    """Rotate a vector. Shapes (..., 4) and (..., 3)."""
    twice = 2.0 * _cross(quat[..., :3], vector)
    return vector + quat[..., 3:] * twice + _cross(quat[..., :3], twice)


def quat_from_rotvec(rotvec: Array) -> Array:
    """Rotation vector [rad] to quaternion. Shape (..., 3) to (..., 4)."""
    angle = np.linalg.norm(rotvec, axis=-1, keepdims=True)
    half = 0.5 * angle
    scale = np.where(angle < _SMALL_ANGLE, 0.5, np.sin(half) / np.maximum(angle, _SMALL_ANGLE))
    return np.concatenate([rotvec * scale, np.cos(half)], axis=-1)


def rotvec_from_quat(quat: Array) -> Array:
    """Quaternion to the shortest rotation vector [rad]. Shape (..., 4) to (..., 3)."""
    quat = np.where(quat[..., 3:] < 0.0, -quat, quat)
    sine = np.linalg.norm(quat[..., :3], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, quat[..., 3:])
    scale = np.where(sine < _SMALL_ANGLE, 2.0, angle / np.maximum(sine, _SMALL_ANGLE))
    return quat[..., :3] * scale


def quat_from_matrix(matrix: Array) -> Array:
    """Rotation matrix (3, 3) to quaternion (4,), by the largest diagonal term (Shepperd's method)."""
    m = matrix
    diagonal = np.array([m[0, 0], m[1, 1], m[2, 2], np.trace(m)])
    largest = int(np.argmax(diagonal))
    if largest == 3:
        quat = np.array([m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], 1.0 + diagonal[3]])
    else:
        i, j, k = largest, (largest + 1) % 3, (largest + 2) % 3
        quat = np.zeros(4)
        quat[i] = 1.0 + m[i, i] - m[j, j] - m[k, k]
        quat[j] = m[j, i] + m[i, j]
        quat[k] = m[k, i] + m[i, k]
        quat[3] = m[k, j] - m[j, k]
    return quat_normalise(quat)


def pose(position: ArrayLike, quat: ArrayLike = IDENTITY_QUAT) -> Array:
    """Put a pose together. Shapes (..., 3) and (..., 4) to (..., 7)."""
    position = np.asarray(position, dtype=np.float64)
    quat = np.broadcast_to(np.asarray(quat, dtype=np.float64), (*position.shape[:-1], 4))
    return np.concatenate([position, quat], axis=-1)


def pose_compose(outer: Array, inner: Array) -> Array:
    """``outer`` then ``inner``: with tool_in_base and tip_in_tool it gives tip_in_base. Shapes (..., 7)."""
    position = outer[..., :3] + quat_rotate(outer[..., 3:], inner[..., :3])
    return np.concatenate([position, quat_multiply(outer[..., 3:], inner[..., 3:])], axis=-1)


def pose_inverse(pose_: Array) -> Array:
    """With tool_in_base it gives base_in_tool. Shape (..., 7)."""
    inverse = quat_inverse(pose_[..., 3:])
    return np.concatenate([-quat_rotate(inverse, pose_[..., :3]), inverse], axis=-1)


def pose_relative(reference: Array, pose_: Array) -> Array:
    """``pose_`` as seen from ``reference``, both in one frame. Shapes (..., 7)."""
    return pose_compose(pose_inverse(reference), pose_)


def pose_to_vector(pose_: Array) -> Array:
    """Position [m] and rotation vector [rad]. Shape (..., 7) to (..., 6)."""
    return np.concatenate([pose_[..., :3], rotvec_from_quat(pose_[..., 3:])], axis=-1)


def pose_from_vector(vector: Array) -> Array:
    """The inverse of ``pose_to_vector``. Shape (..., 6) to (..., 7)."""
    return np.concatenate([vector[..., :3], quat_from_rotvec(vector[..., 3:])], axis=-1)


def _cross(a: Array, b: Array) -> Array:
    return _bilinear(a, b, _CROSS)


def _bilinear(a: Array, b: Array, table: Array) -> Array:
    """Apply a product given by its structure constants; one matrix product is far faster than terms on small arrays."""
    size = a.shape[-1]
    left = (a @ table).reshape(*a.shape[:-1], size, size)
    product: Array = (left @ b[..., None])[..., 0]
    return product

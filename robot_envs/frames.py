"""Rotations and poses: quaternions xyzw, poses (..., 7) as position [m] then quaternion, any leading axes.

``pose_compose(a_to_b, b_to_c)`` reads from left to right; a pose named ``tool_in_base`` maps tool coordinates to
base coordinates.

The arithmetic is on plain numbers, row by row. With one or two arms, the overhead of numpy on such small arrays is
larger than the whole computation in Python.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Row = Sequence[float]

IDENTITY_QUAT = np.array([0.0, 0.0, 0.0, 1.0])
_SMALL_ANGLE = 1e-8


def quat_multiply(a: Array, b: Array) -> Array:
    """Return the Hamilton product: the rotation ``b`` followed by ``a``. Shapes (..., 4), xyzw."""
    return _over_rows(_multiply, a, b)


def quat_inverse(quat: Array) -> Array:
    """Return the inverse rotation of a unit quaternion. Shape (..., 4)."""
    return _over_rows(_invert, quat)


def quat_rotate(quat: Array, vector: Array) -> Array:
    """Rotate a vector. Shapes (..., 4) and (..., 3)."""
    return _over_rows(_rotate, quat, vector)


def quat_from_rotvec(rotvec: Array) -> Array:
    """Convert a rotation vector [rad] to a quaternion. Shape (..., 3) to (..., 4)."""
    return _over_rows(_from_rotvec, rotvec)


def rotvec_from_quat(quat: Array) -> Array:
    """Convert a quaternion to the shortest rotation vector [rad]. Shape (..., 4) to (..., 3)."""
    return _over_rows(_to_rotvec, quat)


def quat_from_matrix(matrix: Array) -> Array:
    """Convert rotation matrices (..., 3, 3) to quaternions (..., 4) with the largest diagonal term (Shepperd)."""
    return _over_rows(_from_matrix, matrix.reshape(*matrix.shape[:-2], 9))


def pose(position: ArrayLike, quat: ArrayLike = IDENTITY_QUAT) -> Array:
    """Combine position and quaternion to a pose. Shapes (..., 3) and (..., 4) to (..., 7)."""
    return _over_rows(lambda at, turned: (*at, *turned), np.asarray(position, np.float64), np.asarray(quat, np.float64))


def pose_compose(outer: Array, inner: Array) -> Array:
    """Compose ``outer`` and ``inner``: tool_in_base and tip_in_tool give tip_in_base. Shapes (..., 7)."""
    return _over_rows(_compose, outer, inner)


def pose_inverse(pose_: Array) -> Array:
    """Return the inverse pose: tool_in_base gives base_in_tool. Shape (..., 7)."""
    return _over_rows(_invert_pose, pose_)


def pose_relative(reference: Array, pose_: Array) -> Array:
    """Return ``pose_`` relative to ``reference``; both are given in the same frame. Shapes (..., 7)."""
    return _over_rows(lambda a, b: _compose(_invert_pose(a), b), reference, pose_)


def pose_to_vector(pose_: Array) -> Array:
    """Convert a pose to position [m] and rotation vector [rad]. Shape (..., 7) to (..., 6)."""
    return _over_rows(lambda row: (*row[:3], *_to_rotvec(row[3:])), pose_)


def pose_from_vector(vector: Array) -> Array:
    """Convert position [m] and rotation vector [rad] to a pose. Shape (..., 6) to (..., 7)."""
    return _over_rows(lambda row: (*row[:3], *_from_rotvec(row[3:])), vector)


def cross(a: Array, b: Array) -> Array:
    """Return the cross product. Shapes (..., 3)."""
    return _over_rows(_cross, a, b)


def length(vector: Array) -> Array:
    """Return the Euclidean length. Shape (..., n) to (...)."""
    found: Array = np.sqrt(np.einsum("...i,...i->...", vector, vector))
    return found


def _over_rows(function: Callable[..., Row], *arrays: Array) -> Array:
    """Apply a function of rows to arrays whose leading axes are equal, or can be broadcast."""
    shapes = [array.shape[:-1] for array in arrays]
    leading = shapes[0]
    if shapes.count(leading) < len(shapes):
        leading = np.broadcast_shapes(*shapes)
        arrays = tuple(np.broadcast_to(array, (*leading, array.shape[-1])) for array in arrays)
    if not leading:
        return np.array(function(*[array.tolist() for array in arrays]))
    rows = [array.reshape(-1, array.shape[-1]).tolist() for array in arrays]
    return np.array([function(*row) for row in zip(*rows, strict=True)]).reshape(*leading, -1)


def _multiply(a: Row, b: Row) -> Row:
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def _invert(quat: Row) -> Row:
    x, y, z, w = quat
    return -x, -y, -z, w


def _rotate(quat: Row, vector: Row) -> Row:
    x, y, z, w = quat
    vx, vy, vz = vector
    tx, ty, tz = 2.0 * (y * vz - z * vy), 2.0 * (z * vx - x * vz), 2.0 * (x * vy - y * vx)
    return (
        vx + w * tx + y * tz - z * ty,
        vy + w * ty + z * tx - x * tz,
        vz + w * tz + x * ty - y * tx,
    )


def _cross(a: Row, b: Row) -> Row:
    ax, ay, az = a
    bx, by, bz = b
    return ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx


def _from_rotvec(rotvec: Row) -> Row:
    x, y, z = rotvec
    angle = math.sqrt(x * x + y * y + z * z)
    if not math.isfinite(angle):
        return (math.nan,) * 4
    scale = 0.5 if angle < _SMALL_ANGLE else math.sin(0.5 * angle) / angle
    return x * scale, y * scale, z * scale, math.cos(0.5 * angle)


def _to_rotvec(quat: Row) -> Row:
    x, y, z, w = quat
    sine = math.sqrt(x * x + y * y + z * z)
    scale = 2.0 if sine < _SMALL_ANGLE else 2.0 * math.atan2(sine, abs(w)) / sine
    if w < 0.0:  # the same rotation by more than half a turn
        scale = -scale
    return x * scale, y * scale, z * scale


def _from_matrix(matrix: Row) -> Row:
    xx, xy, xz, yx, yy, yz, zx, zy, zz = matrix
    trace = xx + yy + zz
    if trace >= max(xx, yy, zz):
        quat = (zy - yz, xz - zx, yx - xy, 1.0 + trace)
    elif xx >= max(yy, zz):
        quat = (1.0 + xx - yy - zz, xy + yx, xz + zx, zy - yz)
    elif yy >= zz:
        quat = (xy + yx, 1.0 + yy - zz - xx, yz + zy, xz - zx)
    else:
        quat = (xz + zx, yz + zy, 1.0 + zz - xx - yy, yx - xy)
    length = math.sqrt(sum(value * value for value in quat))
    return tuple(value / length for value in quat)


def _compose(outer: Row, inner: Row) -> Row:
    x, y, z = _rotate(outer[3:], inner[:3])
    return outer[0] + x, outer[1] + y, outer[2] + z, *_multiply(outer[3:], inner[3:])


def _invert_pose(pose_: Row) -> Row:
    inverse = _invert(pose_[3:])
    x, y, z = _rotate(inverse, pose_[:3])
    return -x, -y, -z, *inverse

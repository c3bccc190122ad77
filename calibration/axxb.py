"""Closed forms of the hand-eye equation A X = X B.

All take `a` and `b`, motions as rotations (m, 3, 3) and translations (m, 3) [m], with m >= 2 and at least two axes of
rotation; they return X as a rotation (3, 3) and a translation (3,) [m]. They are starts for the refinement.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from steadyhand.calibration.rotations import Rigid, cross_matrix, matrix_from_quat, nearest_rotation, rotvec_from_matrix
from steadyhand.robot_envs.frames import Array, quat_from_matrix, quat_inverse, quat_multiply

__all__ = ["CLOSED_FORMS", "andreff", "daniilidis", "motion_scale", "park_martin", "relative_motions", "tsai_lenz"]


def relative_motions(robot: Rigid, board: Rigid) -> tuple[Rigid, Rigid]:
    """Return the motions A and B of all pairs of poses.

    With robot_i X board_i = Y for all i, A = robot_j^-1 robot_i and B = board_j board_i^-1.

    Args:
        robot: Rotations (n, 3, 3) and translations (n, 3) [m] of `robot_i`.
        board: The same of `board_i`.
    """
    first, second = np.triu_indices(len(robot[0]), 1)
    back = np.swapaxes(robot[0][second], -1, -2)
    a = back @ robot[0][first], np.einsum("mij,mj->mi", back, robot[1][first] - robot[1][second])
    turn = board[0][second] @ np.swapaxes(board[0][first], -1, -2)
    return a, (turn, board[1][second] - np.einsum("mij,mj->mi", turn, board[1][first]))


def tsai_lenz(a: Rigid, b: Rigid) -> Rigid:
    """Solve by modified Rodrigues vectors: Tsai and Lenz, IEEE T-RA 5(3), 1989, equations 10, 12, 14."""
    turned_a, turned_b = _half_sines(a[0]), _half_sines(b[0])
    half, *_ = np.linalg.lstsq(
        cross_matrix(turned_a + turned_b).reshape(-1, 3), (turned_b - turned_a).ravel(), rcond=None
    )
    vector = 2.0 * half / np.sqrt(1.0 + half @ half)
    square = float(vector @ vector)
    skew = np.sqrt(max(4.0 - square, 0.0)) * cross_matrix(vector)
    turn = nearest_rotation((1.0 - square / 2.0) * np.eye(3) + 0.5 * (np.outer(vector, vector) + skew))
    return turn, _translation(a, b, turn)


def park_martin(a: Rigid, b: Rigid) -> Rigid:
    """Solve on the rotation group: Park and Martin, IEEE T-RA 10(5), 1994, their least squares solution.

    It is (M^T M)^(-1/2) M^T, the rotation nearest to M^T; the latter also exists for two motions.
    """
    turn = nearest_rotation(rotvec_from_matrix(a[0]).T @ rotvec_from_matrix(b[0]))
    return turn, _translation(a, b, turn)


def daniilidis(a: Rigid, b: Rigid) -> Rigid:
    """Solve rotation and translation at once, by dual quaternions: Daniilidis, IJRR 18(3), 1999, equations 31, 34, 35.

    Raises:
        ValueError: The motions turn about one axis only.
    """
    rows_a, rows_b = _dual(a), _dual(b)
    zero = np.zeros((len(a[0]), 3, 4))
    real, dual = (_screw_rows(rows_a[part], rows_b[part]) for part in (0, 1))
    system = np.concatenate([np.concatenate([real, zero], axis=2), np.concatenate([dual, real], axis=2)], axis=1)
    _, _, right = np.linalg.svd(system.reshape(-1, 8))
    u1, v1, u2, v2 = right[6, :4], right[6, 4:], right[7, :4], right[7, 4:]
    # s = lambda1 / lambda2 makes the dual quaternion a unit one: its real and dual part are orthogonal.
    roots = np.roots([u1 @ v1, u1 @ v2 + u2 @ v1, u2 @ v2]).real
    if len(roots) == 0:
        raise ValueError("expected motions about two axes, found one")
    sizes = [s * s * (u1 @ u1) + 2.0 * s * (u1 @ u2) + u2 @ u2 for s in roots]
    s, size = max(zip(roots, sizes, strict=True), key=lambda pair: pair[1])
    quat, moved = (s * u1 + u2) / np.sqrt(size), (s * v1 + v2) / np.sqrt(size)
    xyzw, moved_xyzw = np.roll(quat, -1), np.roll(moved, -1)
    return matrix_from_quat(xyzw / np.linalg.norm(xyzw)), 2.0 * quat_multiply(moved_xyzw, quat_inverse(xyzw))[:3]


def andreff(a: Rigid, b: Rigid) -> Rigid:
    """Solve the rotation by Kronecker products: Andreff, Horaud and Espiau, 3DIM 1999, equation 10, upper rows."""
    eye = np.eye(3)
    rows = [np.kron(eye, turn) - np.kron(seen.T, eye) for turn, seen in zip(a[0], b[0], strict=True)]
    _, _, right = np.linalg.svd(np.concatenate(rows))
    matrix = right[-1].reshape(3, 3).T  # stacked by columns
    turn = nearest_rotation(matrix * np.sign(np.linalg.det(matrix)))
    return turn, _translation(a, b, turn)


CLOSED_FORMS: dict[str, Callable[[Rigid, Rigid], Rigid]] = {
    "tsai_lenz": tsai_lenz,
    "park_martin": park_martin,
    "daniilidis": daniilidis,
    "andreff": andreff,
}


def motion_scale(a: Rigid, b: Rigid, turn: Array) -> tuple[float, float]:
    """Return the ratio of the robot's motion to the board's, and its standard deviation.

    The ratio is the unknown scale of Andreff, Horaud and Espiau, IJRR 20(3), 2001: (R_A - I) t_X - s R_X t_B = -t_A.
    It is 1 if the board's squares have the size that they are said to have.

    Args:
        a: Motions A.
        b: Motions B.
        turn: Rotation of X (3, 3).
    """
    seen = np.einsum("ij,mj->mi", turn, b[1])
    system = np.concatenate([a[0] - np.eye(3), -seen[..., None]], axis=2).reshape(-1, 4)
    found, *_ = np.linalg.lstsq(system, -a[1].ravel(), rcond=None)
    residuals = system @ found + a[1].ravel()
    # All pairs of n poses hold no more than the 3 (n - 1) equations of the pairs with one of them.
    poses = (1.0 + np.sqrt(1.0 + 8.0 * len(a[0]))) / 2.0
    variance = float(residuals @ residuals) / max(len(residuals) - 4, 1) * len(a[0]) / (poses - 1.0)
    return float(found[3]), float(np.sqrt(variance * np.linalg.pinv(system.T @ system)[3, 3]))


def _translation(a: Rigid, b: Rigid, turn: Array) -> Array:
    """Solve (R_A - I) t_X = R_X t_B - t_A by least squares (Tsai and Lenz 1989, equation 15)."""
    system = (a[0] - np.eye(3)).reshape(-1, 3)
    found, *_ = np.linalg.lstsq(system, (np.einsum("ij,mj->mi", turn, b[1]) - a[1]).ravel(), rcond=None)
    return np.asarray(found)


def _half_sines(matrices: Array) -> Array:
    """Return 2 sin(angle / 2) times the axis of rotations (m, 3, 3). Shape (m, 3)."""
    return 2.0 * _real_quats(matrices)[:, :3]


def _real_quats(matrices: Array) -> Array:
    """Return quaternions xyzw with w >= 0 of rotations (m, 3, 3): A and B turn by the same angle, so their w agree."""
    quats = quat_from_matrix(matrices)
    return np.where(quats[:, 3:] < 0.0, -quats, quats)


def _dual(motions: Rigid) -> tuple[Array, Array]:
    """Return the vector parts of the dual quaternions of motions: real (m, 3) and dual (m, 3)."""
    quats = _real_quats(motions[0])
    shifts = np.concatenate([motions[1], np.zeros((len(quats), 1))], axis=1)
    return quats[:, :3], 0.5 * quat_multiply(shifts, quats)[:, :3]


def _screw_rows(a: Array, b: Array) -> Array:
    """Return the blocks [a - b, [a + b]x] of Daniilidis' equation 31. Shape (m, 3, 4), columns w, x, y, z."""
    return np.concatenate([(a - b)[..., None], cross_matrix(a + b)], axis=2)

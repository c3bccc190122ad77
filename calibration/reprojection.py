"""Reprojection error of a hand-eye calibration, and its minimisation over camera, board and intrinsics.

The robot's measured poses have an error too. It moves all corners of a view together, so the residuals of a view are
weighted by their covariance C = s^2 I + k^2 J S J^T: s is the noise of a corner, S the expected covariance of the
robot's pose, and J the derivative of the corners by that pose. This is maximum likelihood with the robot's errors
eliminated, to first order. The size s of the corners' noise and the factor k of the robot's are fitted too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibration.board import Corners
from steadyhand.calibration.camera_model import project
from steadyhand.calibration.rotations import Rigid, compose, inverse, matrix_from_rotvec
from steadyhand.robot_envs.frames import Array

__all__ = ["Estimate", "Noise", "Refined", "Views", "board_in_camera", "predicted", "refine", "view_errors"]

STEP = 1e-6  # m or rad: of the derivative by a robot's pose
INTRINSICS = 9
BEHIND_PX = 1e4  # error of a corner that an estimate places behind the camera
LEAST_PX = 1e-4  # smallest noise of a corner: weights of exact corners stay finite
FACTORS = np.concatenate([[0.0], np.geomspace(1 / 32, 32, 21)])  # of the robot's expected noise
LOSS_SCALE = 3.0  # standard deviations, above which a corner's weight falls


@dataclass(frozen=True)
class Views:
    """The corners of n views in one row, with the robot's pose of each view.

    With the camera on the tool, `robot` is tool_in_base; with the camera beside the robot it is base_in_tool.

    Attributes:
        robot: Rotations (n, 3, 3) and translations (n, 3) [m].
        view: Number of the view of each corner. Shape (m,); int.
        points: The corners in the board's frame [m]. Shape (m, 3).
        pixels: Their places in the picture [px]. Shape (m, 2).
    """

    robot: Rigid
    view: NDArray[np.int64]
    points: Array
    pixels: Array

    @classmethod
    def stacked(cls, robot: Rigid, corners: Sequence[Corners], points: Array) -> Views:
        """Stack the corners of the views; `points` are all corners of the board [m] (all, 3)."""
        view = np.repeat(np.arange(len(corners)), [len(shown.ids) for shown in corners])
        places = np.concatenate([shown.among(points) for shown in corners])
        return cls(robot, view, places, np.concatenate([shown.pixels for shown in corners]))

    @property
    def count(self) -> int:
        """Number of views."""
        return len(self.robot[0])

    def chosen(self, mask: NDArray[np.bool_]) -> Views:
        """Return the views whose entry in `mask` (n,) is true."""
        rows, numbers = mask[self.view], np.cumsum(mask) - 1
        robot = self.robot[0][mask], self.robot[1][mask]
        return Views(robot, numbers[self.view[rows]], self.points[rows], self.pixels[rows])


@dataclass(frozen=True)
class Estimate:
    """An estimate.

    Attributes:
        eye: camera_in_tool, or camera_in_base.
        board: board_in_base, or board_in_tool.
        camera: `CameraModel.vector`. Shape (9,).
    """

    eye: Rigid
    board: Rigid
    camera: Array

    def moved(self, step: Array) -> Estimate:
        """Return the estimate after a step: translation and rotation of eye and board, then of the camera (12 or 21,).

        Translations are added; rotation vectors [rad] are applied in the moved body's own frame.
        """
        eye = self.eye[0] @ matrix_from_rotvec(step[3:6]), self.eye[1] + step[:3]
        board = self.board[0] @ matrix_from_rotvec(step[9:12]), self.board[1] + step[6:9]
        camera = self.camera + step[12:] if len(step) > 12 else self.camera
        return Estimate(eye, board, camera)


@dataclass(frozen=True)
class Noise:
    """Expected standard deviations of the robot's measured pose, per axis; their common size is fitted."""

    position_m: float
    rotation_rad: float


@dataclass(frozen=True)
class Refined:
    """A refined estimate.

    Attributes:
        estimate: The estimate.
        position_std_m: Standard deviation of the eye's position, in the frame of the tool or the base [m]. Shape (3,).
        rotation_std_rad: Standard deviation of its rotation about the camera's axes [rad]. Shape (3,).
        corner_std_px: Fitted noise of a corner, per axis [px].
        robot_factor: Fitted noise of the robot's poses, as a multiple of the expected one.
    """

    estimate: Estimate
    position_std_m: Array
    rotation_std_rad: Array
    corner_std_px: float
    robot_factor: float


@dataclass(frozen=True)
class _Weights:
    """The residuals' covariance of one view in its own axes: s^2 everywhere, and more in the `directions`."""

    rows: NDArray[np.int64]
    directions: Array  # (2 m, up to 6), orthonormal
    sizes: Array  # of J S J^T in these, as standard deviations [px]

    def whitened(self, residuals: Array, corner_px: float, factor: float) -> Array:
        """Return the view's residuals (2 m,) with unit covariance."""
        flat = residuals[self.rows].ravel()
        share = corner_px / np.sqrt(corner_px**2 + (factor * self.sizes) ** 2) - 1.0
        white: Array = (flat + self.directions @ (share * (self.directions.T @ flat))) / corner_px
        return white


def predicted(estimate: Estimate, views: Views) -> Array:
    """Return the places of all corners in their pictures [px]. Shape (m, 2); NaN behind the camera."""
    turn, shift = board_in_camera(estimate, views.robot)
    seen = np.einsum("mij,mj->mi", turn[views.view], views.points) + shift[views.view]
    return project(estimate.camera, seen)


def board_in_camera(estimate: Estimate, robot: Rigid) -> Rigid:
    """Return the board's pose in the camera's frame for each of the robot's poses."""
    return compose(inverse(estimate.eye), compose(inverse(robot), estimate.board))


def view_errors(estimate: Estimate, views: Views) -> Array:
    """Return the root mean square error of each view [px]. Shape (n,)."""
    squares = np.sum(_residuals(estimate, views) ** 2, axis=1)
    counts = np.bincount(views.view, minlength=views.count)
    found: Array = np.sqrt(np.bincount(views.view, squares, minlength=views.count) / np.maximum(counts, 1))
    return found


def refine(start: Estimate, views: Views, noise: Noise, free_camera: bool) -> Refined:
    """Minimise the weighted reprojection error, with a robust loss (soft L1) against single wrong corners.

    Args:
        start: Where the minimisation starts.
        views: The views, without outliers.
        noise: Expected noise of the robot's poses.
        free_camera: Whether the intrinsics are refined too.
    """
    from scipy.optimize import least_squares

    weights = _weights(start, views, noise)
    corner_px, factor = _fitted_noise(_residuals(start, views), weights)

    def weighted(step: Array) -> Array:
        residuals = _residuals(start.moved(step), views)
        return np.concatenate([view.whitened(residuals, corner_px, factor) for view in weights])

    size = 12 + (INTRINSICS if free_camera else 0)
    found = least_squares(weighted, np.zeros(size), x_scale="jac", loss="soft_l1", f_scale=LOSS_SCALE)
    spare = max(2 * len(views.points) - size, 1)
    variance = float(np.sum(weighted(found.x) ** 2)) / spare
    std = np.sqrt(np.diag(variance * np.linalg.pinv(found.jac.T @ found.jac)))
    return Refined(start.moved(found.x), std[:3], std[3:6], corner_px, factor)


def _residuals(estimate: Estimate, views: Views) -> Array:
    residuals: Array = np.nan_to_num(views.pixels - predicted(estimate, views), nan=BEHIND_PX)
    return np.clip(residuals, -BEHIND_PX, BEHIND_PX)


def _weights(start: Estimate, views: Views, noise: Noise) -> list[_Weights]:
    """Return the directions in which the robot's noise moves the corners of each view."""
    turn, shift = views.robot
    still = predicted(start, views)
    columns = []
    for axis, scale in enumerate(np.repeat([noise.position_m, noise.rotation_rad], 3)):
        step = np.zeros(6)
        step[axis] = STEP
        moved = turn @ matrix_from_rotvec(step[3:]), shift + np.einsum("nij,j->ni", turn, step[:3])
        columns.append(scale * np.nan_to_num((predicted(start, replace(views, robot=moved)) - still) / STEP))
    jacobian = np.stack(columns, axis=-1)  # (m, 2, 6)
    weights = []
    for number in range(views.count):
        rows = np.flatnonzero(views.view == number)
        directions, sizes, _ = np.linalg.svd(jacobian[rows].reshape(-1, 6), full_matrices=False)
        weights.append(_Weights(rows, directions, sizes))
    return weights


def _fitted_noise(residuals: Array, weights: Sequence[_Weights]) -> tuple[float, float]:
    """Return the noise of a corner [px] and the factor of the robot's noise that make the residuals most likely.

    The robot's noise moves a view's corners in six directions only. The rest of the residuals is the corners' alone.
    """
    along = np.concatenate([view.directions.T @ residuals[view.rows].ravel() for view in weights])
    sizes = np.concatenate([view.sizes for view in weights])
    rest, spare = float(np.sum(residuals**2) - np.sum(along**2)), 2 * len(residuals) - len(along)
    corner_px = max(float(np.sqrt(max(rest, 0.0) / max(spare, 1))), LEAST_PX)
    variances = corner_px**2 + (FACTORS[:, None] * sizes) ** 2
    unlikely = np.sum(np.log(variances) + along**2 / variances, axis=1)
    return corner_px, float(FACTORS[unlikely.argmin()])

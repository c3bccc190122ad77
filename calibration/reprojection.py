"""Reprojection error of a hand-eye calibration, and its minimisation over camera, board and intrinsics.

The robot's measured poses have an error too. It moves all corners of a view together, so the residuals of a view are
weighted by their covariance C = s^2 I + J S J^T: s is the noise of a corner, S that of the robot's pose, and J the
derivative of the corners by that pose. This is maximum likelihood with the robot's errors eliminated, to first order.
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
from steadyhand.runtime.camera_calibration_settings import HandEyeConfig

__all__ = ["Estimate", "Refined", "Views", "board_in_camera", "predicted", "refine", "view_errors"]

STEP = 1e-6  # m or rad: of the derivative by a robot's pose
INTRINSICS = 9
BEHIND_PX = 1e4  # error of a corner that an estimate places behind the camera


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
class Refined:
    """A refined estimate, and the standard deviations of the eye: position (3,) [m] and rotation (3,) [rad].

    The position is in the frame of the tool or the base; the rotation is about the camera's axes.
    """

    estimate: Estimate
    position_std_m: Array
    rotation_std_rad: Array


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


def refine(start: Estimate, views: Views, noise: HandEyeConfig, free_camera: bool) -> Refined:
    """Minimise the weighted reprojection error, with a robust loss (soft L1) against single wrong corners.

    Args:
        start: Where the minimisation starts.
        views: The views, without outliers.
        noise: Standard deviations of the corners and of the robot's poses.
        free_camera: Whether the intrinsics are refined too.
    """
    from scipy.optimize import least_squares

    weights = _whiteners(start, views, noise)

    def weighted(step: Array) -> Array:
        residuals = _residuals(start.moved(step), views)
        return np.concatenate([weight @ residuals[rows].ravel() for rows, weight in weights])

    size = 12 + (INTRINSICS if free_camera else 0)
    found = least_squares(weighted, np.zeros(size), x_scale="jac", loss="soft_l1", f_scale=3.0)
    spare = max(2 * len(views.points) - size, 1)
    variance = float(np.sum(weighted(found.x) ** 2)) / spare
    covariance = variance * np.linalg.pinv(found.jac.T @ found.jac)
    std = np.sqrt(np.diag(covariance))
    return Refined(start.moved(found.x), std[:3], std[3:6])


def _residuals(estimate: Estimate, views: Views) -> Array:
    residuals: Array = np.nan_to_num(views.pixels - predicted(estimate, views), nan=BEHIND_PX)
    return np.clip(residuals, -BEHIND_PX, BEHIND_PX)


def _whiteners(start: Estimate, views: Views, noise: HandEyeConfig) -> list[tuple[NDArray[np.int64], Array]]:
    """Return the rows of each view, and the inverse Cholesky factor of its residuals' covariance."""
    turn, shift = views.robot
    columns = []
    for axis in range(6):
        step = np.zeros(6)
        step[axis] = STEP
        moved = turn @ matrix_from_rotvec(step[3:]), shift + np.einsum("nij,j->ni", turn, step[:3])
        ahead = predicted(start, replace(views, robot=moved))
        columns.append(np.nan_to_num((ahead - predicted(start, views)) / STEP))
    jacobian = np.stack(columns, axis=-1)  # (m, 2, 6)
    scale = np.repeat([noise.robot_position_std_m, noise.robot_rotation_std_rad], 3)
    weights = []
    for number in range(views.count):
        rows = np.flatnonzero(views.view == number)
        spread = jacobian[rows].reshape(-1, 6) * scale
        covariance = noise.corner_std_px**2 * np.eye(len(spread)) + spread @ spread.T
        weights.append((rows, np.linalg.inv(np.linalg.cholesky(covariance))))
    return weights

"""Intrinsics of a camera from pictures of a board: Zhang's method (2000), with outlier views removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibration.board import Corners, corner_points
from steadyhand.calibration.camera_model import CameraModel
from steadyhand.calibration.coverage import advice, coverage_of
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.camera_calibration_settings import BoardConfig, PicturesConfig

__all__ = ["Intrinsics", "calibrate_intrinsics"]

MIN_TILTS = 2  # sides: with less the focal length is not determined (Zhang 2000, section 4)
PARAMETERS = 9  # fx, fy, cx, cy and the five coefficients; OpenCV's own order and count begin with these


@dataclass(frozen=True)
class Intrinsics:
    """Measured intrinsics.

    Attributes:
        camera: The camera.
        std: Standard deviations of `camera.vector`, from the covariance of the fit. Shape (9,).
        used: Views that were used. Shape (n,); bool.
        view_rms_px: Error of each view with `camera`; of a removed view the error that removed it [px]. Shape (n,).
        rms_px: Root mean square error of the used views [px].
        pixels: Corners of the used views [px]. Shape (m, 2).
        residuals_px: Found place minus projected place of each [px]. Shape (m, 2).
    """

    camera: CameraModel
    std: Array
    used: NDArray[np.bool_]
    view_rms_px: Array
    rms_px: float
    pixels: Array
    residuals_px: Array


@dataclass(frozen=True)
class _Fit:
    vector: Array
    std: Array
    residuals: list[Array]

    @property
    def view_rms(self) -> Array:
        return np.array([np.sqrt(np.mean(np.sum(rows**2, axis=1))) for rows in self.residuals])


def calibrate_intrinsics(board: BoardConfig, views: Sequence[Corners], wanted: PicturesConfig) -> Intrinsics:
    """Measure a camera's intrinsics.

    Args:
        board: The board.
        views: Its corners in each picture.
        wanted: Smallest number of views, limits of outliers and of the focal length's uncertainty.

    Raises:
        CalibrationError: There are too few views, pictures of different sizes, or the views do not determine the
            focal length; the line says what to show.
    """
    sizes = {(view.width, view.height) for view in views}
    if len(sizes) > 1:
        texts = sorted(f"{width} x {height}" for width, height in sizes)
        raise CalibrationError(f"expected pictures of one camera and size, found {', '.join(texts)}")
    _check_tilts(board, views, wanted)
    used = np.ones(len(views), bool)
    view_rms = np.zeros(len(views))
    while True:
        if used.sum() < wanted.min_views:
            raise CalibrationError(
                f"expected at least {wanted.min_views} usable pictures of the board, found {used.sum()} of {len(views)}"
                f"{_advice(board, [view for view, kept in zip(views, used, strict=True) if kept], wanted)}"
            )
        fit = _fit(board, [view for view, kept in zip(views, used, strict=True) if kept])
        view_rms[used] = fit.view_rms
        # Only the worst view is removed at a time: its error spreads over the others' residuals.
        limit = max(wanted.outlier_floor_px, wanted.outlier_ratio * float(np.median(fit.view_rms)))
        worst = int(np.argmax(np.where(used, view_rms, -np.inf)))
        if view_rms[worst] <= limit:
            break
        used[worst] = False
    kept = [view for view, keep in zip(views, used, strict=True) if keep]
    share = float(np.max(fit.std[:2] / fit.vector[:2]))
    if not share <= wanted.max_focal_std:
        raise CalibrationError(
            f"focal length: expected a standard deviation of at most {wanted.max_focal_std:.2%}, found {share:.2%}"
            f"{_advice(board, kept, wanted) or '; tilt the board more, and fill the picture with it'}"
        )
    residuals = np.concatenate(fit.residuals)
    rms_px = float(np.sqrt(np.mean(np.sum(residuals**2, axis=1))))
    camera = CameraModel.from_vector(views[0].width, views[0].height, fit.vector)
    return Intrinsics(camera, fit.std, used, view_rms, rms_px, np.concatenate([v.pixels for v in kept]), residuals)


def _check_tilts(board: BoardConfig, views: Sequence[Corners], wanted: PicturesConfig) -> None:
    """Refuse views that face the camera: no focal length follows from them, and a fit to them may look good."""
    coverage = coverage_of(board, views, wanted.min_tilt_deg)
    tilted = sum(count > 0 for count in coverage.tilts)
    if coverage.views >= wanted.min_views and tilted < MIN_TILTS:
        raise CalibrationError(
            f"expected the board tilted towards at least {MIN_TILTS} sides by {wanted.min_tilt_deg:g} deg, found "
            f"{tilted}; {advice(coverage, board, wanted.min_views)[0]}"
        )


def _fit(board: BoardConfig, views: Sequence[Corners]) -> _Fit:
    """Fit one camera to the views with OpenCV, which minimises the reprojection error by Levenberg-Marquardt."""
    import cv2

    points = corner_points(board)
    objects = [view.among(points).astype(np.float32) for view in views]
    pixels = [view.pixels.astype(np.float32) for view in views]
    size = (views[0].width, views[0].height)
    try:
        found = cv2.calibrateCameraExtended(objects, pixels, size, None, None)
    except cv2.error:
        raise CalibrationError(
            "expected views that determine a camera, found none; tilt the board in different directions"
        ) from None
    _, matrix, distortion, rotations, translations, std = found[:6]
    vector = np.array([matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2], *distortion.ravel()[:5]])
    residuals = [
        shown - cv2.projectPoints(corners, turn, shift, matrix, distortion)[0].reshape(-1, 2)
        for corners, shown, turn, shift in zip(objects, pixels, rotations, translations, strict=True)
    ]
    return _Fit(vector, std.ravel()[:PARAMETERS], [np.asarray(rows, np.float64) for rows in residuals])


def _advice(board: BoardConfig, views: Sequence[Corners], wanted: PicturesConfig) -> str:
    lines = advice(coverage_of(board, views, wanted.min_tilt_deg), board, wanted.min_views)
    return f"; {lines[0]}" if lines else ""

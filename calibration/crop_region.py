"""The crop of a view: a rectangle in shares of the picture, from points in the picture or from what moves in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.camera import Crop
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.ranges import expect_above, expect_at_least, expect_length, expect_within

__all__ = ["CropSettings", "change_of", "crop_around", "crop_of_change", "pixels_of_points"]


@dataclass(frozen=True)
class CropSettings:
    """Numbers of the step.

    Attributes:
        margin_share: Margin around the region on each side, as a share of the region's longer side.
        min_share: Least side of the rectangle, as a share of the picture's.
        min_change: Least change of a pixel that counts, in levels of 0 to 255: standard deviation over the pictures.
        quantile: Share of the changed pixels that may lie outside of the region at each side, such as a cable's.
        side_m: Sides of the box in which the tool moves, around its present position. Shape (3,).
    """

    margin_share: float
    min_share: float
    min_change: float
    quantile: float
    side_m: tuple[float, ...]

    def __post_init__(self) -> None:
        expect_length(self, 3, "side_m")
        expect_at_least(self, 0.0, "margin_share")
        expect_above(self, 0.0, "min_share", "min_change", "side_m")
        expect_within(self, 0.0, 1.0, "min_share")
        expect_within(self, 0.0, 0.2, "quantile")


def pixels_of_points(points: Array, camera_matrix: Array) -> Array:
    """Return the pixels of points in the frame of a camera: x right, y down, z ahead. Shape (n, 3) [m] to (n, 2).

    Raises:
        CalibrationError: A point is not in front of the camera.
    """
    if not (points[:, 2] > 0.0).all():
        raise CalibrationError(
            f"crop: expected points in front of the camera, found one {float(-points[:, 2].min()):.3f} m behind it; "
            "check the region and the hand-eye file"
        )
    projected = points @ np.asarray(camera_matrix, np.float64).T
    pixels: Array = projected[:, :2] / projected[:, 2:]
    return pixels


def crop_around(points: Array, size: tuple[int, int], aspect: float, settings: CropSettings) -> Crop:
    """Return the smallest rectangle of one aspect around pixels, with its margin, within the picture.

    Args:
        points: Pixels x, y. Shape (n, 2).
        size: Width and height of the whole picture [pixels].
        aspect: Width over height of the rectangle [pixels]; that of the view keeps its pixels square.
        settings: Margin and least size.

    Raises:
        CalibrationError: The points are outside of the picture.
    """
    whole = np.array(size, np.float64)
    low, high = np.clip(points.min(axis=0), 0.0, whole), np.clip(points.max(axis=0), 0.0, whole)
    if not (high > low).all():
        raise CalibrationError(
            f"crop: expected a region within the picture of {size[0]} x {size[1]} pixels, found "
            f"{np.round(points.min(axis=0)).tolist()} to {np.round(points.max(axis=0)).tolist()}; check its numbers"
        )
    sides = high - low
    sides = np.maximum(sides + 2.0 * settings.margin_share * sides.max(), settings.min_share * whole)
    sides = np.maximum(sides, np.array([sides[1] * aspect, sides[0] / aspect]))
    sides *= min(1.0, float((whole / sides).min()))  # a rectangle of this aspect inside the picture
    first = np.clip(0.5 * (low + high) - 0.5 * sides, 0.0, whole - sides)
    left, top = (float(value) for value in first / whole)
    width, height = (float(value) for value in sides / whole)
    return Crop(*(round(value, 4) for value in (left, top, min(width, 1.0 - left), min(height, 1.0 - top))))


def change_of(pictures: NDArray[np.uint8]) -> Array:
    """Return the change of each pixel over pictures (n, height, width, 3): its standard deviation in levels."""
    change: Array = pictures.astype(np.float32).mean(axis=3).std(axis=0).astype(np.float64)
    return change


def crop_of_change(change: Array, aspect: float, settings: CropSettings) -> Crop:
    """Return the rectangle around what changes in the picture.

    Args:
        change: Change of each pixel in levels, while the tool or its fingers move and nothing else. Shape (h, w).
        aspect: As for `crop_around`.
        settings: Bounds.

    Raises:
        CalibrationError: Nothing changes.
    """
    rows, columns = np.nonzero(change >= settings.min_change)
    if not len(rows):
        raise CalibrationError(
            f"crop: expected a picture that changes by {settings.min_change:g} levels while the tool moves, found "
            f"{float(change.max()):.1f}; does the camera see the tool?"
        )
    shares = (settings.quantile, 1.0 - settings.quantile)
    x, y = np.quantile(columns, shares), np.quantile(rows, shares)
    points = np.array([[x[0], y[0]], [x[1] + 1.0, y[1] + 1.0]])
    return crop_around(points, (change.shape[1], change.shape[0]), aspect, settings)

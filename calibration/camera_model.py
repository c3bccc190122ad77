"""A pinhole camera with OpenCV's five distortion coefficients, and its projection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.calibration_file import CalibrationError, read_calibration

__all__ = ["CameraModel", "project", "read_camera_model"]

COEFFICIENTS = 5


@dataclass(frozen=True)
class CameraModel:
    """Intrinsics of a camera. Its frame: x to the right, y down, z forward; the centre of the first pixel is (0, 0).

    Attributes:
        width: Width of its picture [px].
        height: Height of its picture [px].
        fx_px: Focal length in widths of a pixel.
        fy_px: Focal length in heights of a pixel.
        cx_px: Column of the principal point [px].
        cy_px: Row of the principal point [px].
        distortion: k1, k2, p1, p2, k3 of Brown's model, in OpenCV's order.
    """

    width: int
    height: int
    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    distortion: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.fx_px <= 0.0 or self.fy_px <= 0.0:
            raise ValueError(f"fx_px, fy_px: expected numbers above 0, found {self.fx_px}, {self.fy_px}")
        if len(self.distortion) != COEFFICIENTS:
            raise ValueError(f"distortion: expected {COEFFICIENTS} coefficients, found {len(self.distortion)}")

    @property
    def vector(self) -> Array:
        """fx, fy, cx, cy [px], then the distortion. Shape (9,)."""
        return np.array([self.fx_px, self.fy_px, self.cx_px, self.cy_px, *self.distortion])

    @property
    def matrix(self) -> Array:
        """The camera matrix [px]. Shape (3, 3)."""
        return np.array([[self.fx_px, 0.0, self.cx_px], [0.0, self.fy_px, self.cy_px], [0.0, 0.0, 1.0]])

    @classmethod
    def from_vector(cls, width: int, height: int, vector: Array) -> CameraModel:
        """Make a model from the numbers that `vector` returns."""
        fx, fy, cx, cy, *distortion = (float(value) for value in vector)
        return cls(width, height, fx, fy, cx, cy, tuple(distortion))


def project(vector: Array, points: Array) -> Array:
    """Project points of the camera's frame (..., 3) [m] to pixels (..., 2), by Brown's model (1966).

    `vector` is as `CameraModel.vector` returns it. A point that is not before the camera gives NaN.
    """
    fx, fy, cx, cy, k1, k2, p1, p2, k3 = vector
    depth = np.where(points[..., 2] > 0.0, points[..., 2], np.nan)
    x, y = points[..., 0] / depth, points[..., 1] / depth
    r2 = x * x + y * y
    radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
    column = x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x)
    row = y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y
    return np.stack([fx * column + cx, fy * row + cy], axis=-1)


def read_camera_model(path: Path) -> CameraModel:
    """Read the intrinsics of a calibration file.

    Raises:
        CalibrationError: The file is damaged, edited, or of another kind.
    """
    values: Mapping[str, Any] = read_calibration(path, "intrinsics").values
    names = ("width", "height", "fx_px", "fy_px", "cx_px", "cy_px", "distortion")
    try:
        return build(CameraModel, {name: values[name] for name in names if name in values}, "values")
    except (ConfigError, ValueError) as error:
        raise CalibrationError(f"{path}: {error}") from None

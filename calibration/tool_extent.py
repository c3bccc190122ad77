"""The box around a tool, from its size or from points of its outline that have touched one known point."""

from __future__ import annotations

import numpy as np

from steadyhand.calibration.rotations import matrix_from_quat
from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.safety.region import Extent
from steadyhand.runtime.calibration_file import CalibrationError

__all__ = ["extent_of_points", "touching_points"]


def touching_points(poses: Array, point: Array) -> Array:
    """Return the points of the tool that touched a fixed point, one for each pose.

    Args:
        poses: Poses of the tool centre point, base frame. Shape (n, 7); [m], xyzw.
        point: The fixed point, base frame. Shape (3,); [m].

    Returns:
        Points relative to the tool centre point, tool frame. Shape (n, 3); [m].
    """
    points: Array = np.einsum("nji,nj->ni", matrix_from_quat(poses[:, 3:]), point - poses[:, :3])
    return points


def extent_of_points(points: Array, margin_m: float) -> Extent:
    """Return the box around the tool centre point and all `points` (n, 3) [m], tool frame, larger by `margin_m`.

    Raises:
        CalibrationError: A point is 1 m or farther from the tool centre point, so it is not of a tool.
    """
    low = np.minimum(points.min(axis=0), 0.0) - margin_m
    high = np.maximum(points.max(axis=0), 0.0) + margin_m
    if max(-low.min(), high.max()) >= 1.0:
        raise CalibrationError(
            f"tool: expected points within 1 m of the tool centre point, found {np.round(points, 3).tolist()}; "
            "give metres, in the tool frame"
        )
    return Extent(tuple(map(float, low)), tuple(map(float, high)))

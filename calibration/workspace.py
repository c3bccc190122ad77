"""The workspace of a cell: the safety box, the nominal orientation and the tilt limit, from poses of the tool."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from steadyhand.calibration.orientation import angles_from, mean_quat
from steadyhand.calibration.rotations import matrix_from_quat
from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.safety.region import Extent
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.ranges import expect_above, expect_at_least, expect_within

__all__ = ["Workspace", "WorkspaceSettings", "workspace_from_poses"]


@dataclass(frozen=True)
class WorkspaceSettings:
    """Numbers of the step.

    Attributes:
        min_poses: Least number of poses.
        margin_m: Distance by which the box is larger than the region that the tool has touched; below 0 it is smaller.
        min_side_m: Least side of the box.
        margin_rad: Angle that is added to the largest tilt of the poses.
        max_tilt_rad: Largest tilt of a pose from the mean orientation.
    """

    min_poses: int
    margin_m: float
    min_side_m: float
    margin_rad: float
    max_tilt_rad: float

    def __post_init__(self) -> None:
        expect_at_least(self, 2, "min_poses")
        expect_within(self, -0.5, 0.5, "margin_m")
        expect_above(self, 0.0, "min_side_m", "margin_rad")
        expect_within(self, 0.0, math.pi / 2, "max_tilt_rad")


@dataclass(frozen=True)
class Workspace:
    """Measured region of the tool.

    Attributes:
        low_m: Lower corner of the box around the whole tool, base frame. Shape (3,); [m].
        high_m: Upper corner. Shape (3,); [m].
        nominal_quat: Mean orientation, xyzw, base frame. Shape (4,).
        max_tilt_rad: Tilt limit: the largest tilt of a pose, and a margin.
        tilts_rad: Tilt of each pose from the mean orientation. Shape (n,).
    """

    low_m: Array
    high_m: Array
    nominal_quat: Array
    max_tilt_rad: float
    tilts_rad: Array


def workspace_from_poses(poses: Array, extent: Extent, settings: WorkspaceSettings) -> Workspace:
    """Return the box around the tool at all poses, with its margin, and the tilts.

    The box encloses the whole extent, because the safety gate keeps the whole extent inside it.

    Args:
        poses: Measured poses of the tool centre point, base frame. Shape (n, 7); [m], xyzw.
        extent: Box around the tool, tool frame.
        settings: Margins and bounds.

    Raises:
        CalibrationError: There are too few poses, the box is flat, or the poses differ too much in orientation.
    """
    if len(poses) < settings.min_poses:
        raise CalibrationError(
            f"workspace: expected at least {settings.min_poses} poses, found {len(poses)}; take more corners of the box"
        )
    nominal = mean_quat(poses[:, 3:])
    tilts = angles_from(nominal, poses[:, 3:])
    if tilts.max() > settings.max_tilt_rad:
        raise CalibrationError(
            f"workspace: expected poses within {settings.max_tilt_rad:.2f} rad of their mean orientation, found pose "
            f"{int(tilts.argmax()) + 1} at {tilts.max():.2f} rad; keep the tool as in the task at every corner"
        )
    low, high = _bounds(poses, extent)
    low, high = low - settings.margin_m, high + settings.margin_m
    sides = high - low
    if sides.min() < settings.min_side_m:
        axis = int(sides.argmin())
        raise CalibrationError(
            f"workspace: expected sides of at least {settings.min_side_m:g} m, found {sides[axis]:.3f} m along "
            f"{'xyz'[axis]}; take corners that differ along every axis of the base"
        )
    return Workspace(low, high, nominal, min(float(tilts.max()) + settings.margin_rad, math.pi), tilts)


def _bounds(poses: Array, extent: Extent) -> tuple[Array, Array]:
    """Return the lowest and the highest point of the tool over all poses, base frame. Shapes (3,)."""
    ends = np.array([extent.low_m, extent.high_m])
    corners = np.array([[ends[i, 0], ends[j, 1], ends[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    points = poses[:, None, :3] + np.einsum("nij,kj->nki", matrix_from_quat(poses[:, 3:]), corners)
    return points.min(axis=(0, 1)), points.max(axis=(0, 1))

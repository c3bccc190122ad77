"""The tip of a tool, by turning the tool about one fixed point that the tip touches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steadyhand.calibration.conditioning import amplification
from steadyhand.calibration.rotations import matrix_from_quat
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.ranges import expect_above, expect_at_least

__all__ = ["Pivot", "PivotSettings", "pivot_from_poses"]


@dataclass(frozen=True)
class PivotSettings:
    """Numbers of the step.

    Attributes:
        min_poses: Least number of poses.
        max_amplification: Largest amplification of a position's error into the tip's: 1 / the least singular value of
            the system, times the root of the number of poses.
        max_residual_m: Largest root mean square residual.
    """

    min_poses: int
    max_amplification: float
    max_residual_m: float

    def __post_init__(self) -> None:
        expect_at_least(self, 3, "min_poses")
        expect_above(self, 0.0, "max_amplification", "max_residual_m")


@dataclass(frozen=True)
class Pivot:
    """Result of a pivot calibration.

    Attributes:
        tip_m: Tip, relative to the tool centre point, tool frame. Shape (3,); [m].
        point_m: The fixed point, base frame. Shape (3,); [m].
        distances_m: Distance of the tip from the fixed point at each pose. Shape (n,).
        amplification: See `PivotSettings`.
    """

    tip_m: Array
    point_m: Array
    distances_m: Array
    amplification: float

    @property
    def rms_m(self) -> float:
        """Root mean square of the distances."""
        return float(np.sqrt(np.mean(self.distances_m**2)))


def pivot_from_poses(poses: Array, settings: PivotSettings) -> Pivot:
    """Return the tip and the fixed point by least squares.

    Solves [R_i, -I] [tip; point] = -p_i over all poses (Yaniv 2015, "Which pivot calibration?", section 2.1, algebraic
    one-step method).

    Args:
        poses: Poses of the tool centre point while the tip stays at one point, base frame. Shape (n, 7); [m], xyzw.
        settings: Bounds.

    Raises:
        CalibrationError: There are too few poses, they do not determine the tip, or the tip has moved.
    """
    n = len(poses)
    if n < settings.min_poses:
        raise CalibrationError(
            f"tool: expected at least {settings.min_poses} poses about the fixed point, found {n}; take more"
        )
    rotations = matrix_from_quat(poses[:, 3:])
    system = np.concatenate([rotations, np.broadcast_to(-np.eye(3), (n, 3, 3))], axis=2).reshape(-1, 6)
    amplified = amplification(system, n)
    if amplified > settings.max_amplification:
        raise CalibrationError(
            f"tool: expected orientations that amplify an error at most {settings.max_amplification:g} times, found "
            f"{min(amplified, 9999.0):.0f}; tilt the tool farther, about two different axes"
        )
    found = np.linalg.lstsq(system, -poses[:, :3].ravel(), rcond=None)[0]
    tip, point = found[:3], found[3:]
    distances = np.linalg.norm(poses[:, :3] + rotations @ tip - point, axis=1)
    pivot = Pivot(tip, point, distances, amplified)
    if pivot.rms_m > settings.max_residual_m:
        raise CalibrationError(
            f"tool: expected the tip within {1e3 * settings.max_residual_m:g} mm of one point (rms), found "
            f"{1e3 * pivot.rms_m:.1f} mm, most at pose {int(distances.argmax()) + 1}; keep the tip in its dimple"
        )
    return pivot

"""Sets of poses for a calibration: the tool turned about a point, so that a camera at it keeps facing that point."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from steadyhand.robot_envs.frames import Array, quat_from_rotvec, quat_multiply, quat_rotate
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.ranges import expect, expect_above, expect_at_least

__all__ = ["PoseSetSettings", "is_inside", "poses_about"]


@dataclass(frozen=True)
class PoseSetSettings:
    """Numbers of a pose set.

    Attributes:
        tilts_rad: Turns about two horizontal axes of the base; all pairs of them are tried.
        turns_rad: Turns about the vertical axis, each for the next pair in the order.
        inside_m: Distance that the tool keeps from the walls of the workspace.
        inside_rad: Angle that it keeps from the tilt limit.
        min_poses: Least number of poses that stay.
    """

    tilts_rad: tuple[float, ...]
    turns_rad: tuple[float, ...]
    inside_m: float
    inside_rad: float
    min_poses: int

    def __post_init__(self) -> None:
        expect(len(self.tilts_rad) >= 2, "tilts_rad", "at least two angles", list(self.tilts_rad))
        expect(bool(self.turns_rad), "turns_rad", "at least one angle", list(self.turns_rad))
        expect_at_least(self, 0.0, "inside_m", "inside_rad")
        expect_above(self, 0.0, "min_poses")


def poses_about(pose: Array, point: Array, limits: SafetyLimits, settings: PoseSetSettings) -> Array:
    """Return poses that turn the tool rigidly about a point, as far as the workspace allows.

    A pose that leaves the workspace is turned less, by half each time; one that still leaves it is dropped. The poses
    are ordered so that the tool goes back and forth along rows.

    Args:
        pose: Pose to start from, base frame. Shape (7,); [m], xyzw.
        point: The point, base frame: a board that a camera faces, or the tool centre point itself. Shape (3,); [m].
        limits: Limits of the cell.
        settings: Angles and bounds.

    Returns:
        Shape (n, 7), base frame.

    Raises:
        CalibrationError: Too few poses are inside the workspace, or they turn about one axis alone.
    """
    found: list[Array] = []
    for number, (first, second) in enumerate(_rows(settings.tilts_rad)):
        turn = settings.turns_rad[number % len(settings.turns_rad)]
        for share in (1.0, 0.5, 0.25):
            turned = _turned(pose, point, share * np.array([first, second, turn]))
            if is_inside(turned, limits, settings):
                found.append(turned)
                break
    tilts = {(round(float(p[3]), 3), round(float(p[4]), 3), round(float(p[5]), 3)) for p in found}
    if len(tilts) < settings.min_poses or not _turn_about_two_axes(np.array(found)):
        raise CalibrationError(
            f"poses: expected at least {settings.min_poses} in the workspace, with turns about two axes, found "
            f"{len(tilts)}; start nearer to the middle of the workspace, or raise safety.max_tilt_rad"
        )
    return np.array(found)


def _rows(tilts: tuple[float, ...]) -> list[tuple[float, float]]:
    """Return all pairs, row by row, every other row backwards."""
    rows = [list(itertools.product([first], tilts)) for first in tilts]
    return [pair for number, row in enumerate(rows) for pair in (row if number % 2 == 0 else reversed(row))]


def _turned(pose: Array, point: Array, rotvec: Array) -> Array:
    turn = quat_from_rotvec(rotvec)
    return np.concatenate([point + quat_rotate(turn, pose[:3] - point), quat_multiply(turn, pose[3:])])


def is_inside(pose: Array, limits: SafetyLimits, settings: PoseSetSettings) -> bool:
    """Return whether the tool at a pose (7,) is inside workspace and tilt limit, with the set's margins."""
    outside, tilted = limits.region.excess(pose[:3].tolist(), pose[3:].tolist())
    return outside <= -settings.inside_m and tilted <= -settings.inside_rad


def _turn_about_two_axes(poses: Array) -> bool:
    """Return whether the orientations turn about two axes: the spread of their z axes has two directions."""
    axes = quat_rotate(poses[:, 3:], np.broadcast_to([0.0, 0.0, 1.0], (len(poses), 3)))
    spread = np.linalg.svd(axes - axes.mean(axis=0), compute_uv=False)
    return bool(spread[1] > 0.05 * np.sqrt(len(poses)))

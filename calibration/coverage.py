"""Coverage of a set of views: the parts of the picture and the tilts of the board that are still missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steadyhand.calibration.board import Corners, corner_points
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.camera_calibration_settings import BoardConfig

__all__ = ["CELLS", "TILTS", "Coverage", "advice", "coverage_of", "tilt_of"]

ROWS, COLUMNS = ("upper", "middle", "lower"), ("left", "centre", "right")
CELLS = tuple(f"{row} {column}" for row in ROWS for column in COLUMNS)
TILTS = ("left side nearer", "right side nearer", "upper side nearer", "lower side nearer")


@dataclass(frozen=True)
class Coverage:
    """Counts of what the views show.

    Attributes:
        cells: Corners in each of the nine cells of the picture, in the order of `CELLS`. Shape (9,).
        tilts: Views tilted towards each side, in the order of `TILTS`. Shape (4,).
        views: Number of views.
    """

    cells: tuple[int, ...]
    tilts: tuple[int, ...]
    views: int


def coverage_of(board: BoardConfig, views: Sequence[Corners], min_tilt_deg: float) -> Coverage:
    """Count the corners in each cell of the picture, and the views tilted towards each side."""
    cells, tilts = np.zeros((3, 3), int), np.zeros(4, int)
    for view in views:
        column = np.clip(3.0 * (view.pixels[:, 0] + 0.5) / view.width, 0, 2).astype(int)
        row = np.clip(3.0 * (view.pixels[:, 1] + 0.5) / view.height, 0, 2).astype(int)
        np.add.at(cells, (row, column), 1)
        right, lower = tilt_of(board, view)
        tilts += np.array([right < -min_tilt_deg, right > min_tilt_deg, lower < -min_tilt_deg, lower > min_tilt_deg])
    return Coverage(tuple(cells.ravel().tolist()), tuple(tilts.tolist()), len(views))


def advice(coverage: Coverage, board: BoardConfig, min_views: int) -> list[str]:
    """Return what is missing, the most useful first; empty if nothing is.

    A cell counts as covered with as many corners as a quarter of the board has, a tilt with one view.
    """
    enough = (board.squares_x - 1) * (board.squares_y - 1) / 4
    empty = sorted((count, name) for count, name in zip(coverage.cells, CELLS, strict=True) if count < enough)
    missing = [name for count, name in zip(coverage.tilts, TILTS, strict=True) if count == 0]
    lines = [f"tilt the board: {name} ({len(missing)} of {len(TILTS)} tilts missing)" for name in missing]
    lines += [f"show the board {name} ({count} corners there, {enough:.0f} are enough)" for count, name in empty]
    if coverage.views < min_views:
        lines.append(f"take more pictures: {coverage.views} of at least {min_views}")
    return lines


def tilt_of(board: BoardConfig, view: Corners) -> Array:
    """Return the board's tilt, positive if its right and its lower side are nearer [deg]. Shape (2,).

    The camera's intrinsics are unknown yet: the tilt is that of a camera with a horizontal field of view of 53 degrees.
    Its error does not matter for the advice.
    """
    import cv2

    centre = (view.width / 2, view.height / 2)
    guess = np.array([[view.width, 0.0, centre[0]], [0.0, view.width, centre[1]], [0.0, 0.0, 1.0]])
    found, rotvec, _ = cv2.solvePnP(view.among(corner_points(board)), view.pixels, guess, None, flags=cv2.SOLVEPNP_IPPE)
    if not found:
        return np.zeros(2)
    normal = cv2.Rodrigues(rotvec)[0][:, 2]
    tilt: Array = np.degrees(np.arctan2(normal[:2], normal[2]))
    return tilt

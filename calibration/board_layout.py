"""Comparison of a picture's markers with the board's layout: names a mirrored board and other counts of squares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibration.board import OtherBoardError, cv_board, find_markers
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.camera_calibration_settings import BoardConfig

__all__ = ["check_layout", "layout_error"]

ENOUGH = 4  # markers that tell one layout from another
FITS, MISFITS = 0.15, 0.35  # error of a marker's corner, in sides of a marker: a lens bends the board by less
MOST_SQUARES = 20


def check_layout(board: BoardConfig, shades: NDArray[np.uint8], markers: Array, ids: NDArray[np.int64]) -> None:
    """Check that a picture shows this board.

    Args:
        board: The configured board.
        shades: The grey picture (h, w).
        markers: Corners of its markers (m, 4, 2) [px].
        ids: Their numbers (m,).

    Raises:
        OtherBoardError: The picture shows a mirror image, or a board with other squares.
    """
    if len(ids) < ENOUGH:
        mirrored, _ = find_markers(board, np.ascontiguousarray(shades[:, ::-1]))
        if len(mirrored) >= ENOUGH and len(mirrored) > len(ids):
            raise OtherBoardError(
                "expected the board, found its mirror image; switch off the camera's mirror mode, or print it again"
            )
        return
    if layout_error(board, markers, ids) <= MISFITS:
        return
    for legacy in (board.legacy_pattern, not board.legacy_pattern):
        for squares_x in range(3, MOST_SQUARES + 1):
            other = _with_squares(board, squares_x, int(ids.max()), legacy)
            if layout_error(other, markers, ids) <= FITS:
                raise OtherBoardError(
                    f"expected a board of {_squares(board)}, found one of {squares_x} squares along x and at least "
                    f"{other.squares_y} along y{_pattern(legacy)}; set calibration.board.squares_x, squares_y and "
                    "legacy_pattern"
                )
    raise OtherBoardError(
        f"expected a board of {_squares(board)}, found markers in another order; print the board that "
        "`steadyhand calibrate board` writes, and keep it flat"
    )


def layout_error(board: BoardConfig, markers: Array, ids: NDArray[np.int64]) -> float:
    """Return the median error of the markers' corners to the best homography of the board, in sides of a marker.

    `markers` (m, 4, 2) [px], `ids` (m,). Infinite if the board has no such marker.
    """
    import cv2

    made = cv_board(board)
    places = {int(number): points for number, points in zip(made.getIds().ravel(), made.getObjPoints(), strict=True)}
    if not all(int(number) in places for number in ids):
        return float("inf")
    plane = np.concatenate([np.asarray(places[int(number)])[:, :2] for number in ids]).astype(np.float64)
    pixels = markers.reshape(-1, 2)
    homography, _ = cv2.findHomography(plane, pixels, 0)
    if homography is None:
        return float("inf")
    lifted = np.concatenate([plane, np.ones((len(plane), 1))], axis=1) @ homography.T
    errors = np.linalg.norm(lifted[:, :2] / lifted[:, 2:] - pixels, axis=1)
    side = np.median(np.linalg.norm(markers - np.roll(markers, 1, axis=1), axis=2))
    return float(np.median(errors) / side)


def _with_squares(board: BoardConfig, squares_x: int, largest_id: int, legacy: bool) -> BoardConfig:
    """Return a board of that width, high enough for the largest number."""
    squares_y = max(3, -(-2 * (largest_id + 1) // squares_x))
    while squares_x * squares_y // 2 <= largest_id:
        squares_y += 1
    return replace(board, squares_x=squares_x, squares_y=min(squares_y, 2 * MOST_SQUARES), legacy_pattern=legacy)


def _squares(board: BoardConfig) -> str:
    return f"{board.squares_x} x {board.squares_y} squares{_pattern(board.legacy_pattern)}"


def _pattern(legacy: bool) -> str:
    return " in the old pattern" if legacy else ""

"""A ChArUco board and its corners in a picture.

The board's frame: origin at the outer corner of its first square, x along the longer side, y along the other, z away
from the viewer. A corner's number counts along x, then y.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.camera_calibration_settings import BoardConfig

__all__ = [
    "BoardError",
    "Corners",
    "OtherBoardError",
    "corner_points",
    "cv_board",
    "find_corners",
    "find_markers",
    "grey",
]

Pixels = NDArray[np.uint8]
MIN_MARKERS = 2
REFINED_PX = 3  # half the window in which OpenCV refines a corner


class BoardError(CalibrationError):
    """A picture in which the board cannot be used; another picture may do."""


class OtherBoardError(CalibrationError):
    """A picture of another board than the configured one, or of its mirror image; no picture will do."""


@dataclass(frozen=True)
class Corners:
    """The board's corners that one picture shows.

    Attributes:
        ids: Numbers of the corners. Shape (m,); int.
        pixels: Their places, column and row; the centre of the first pixel is (0, 0) [px]. Shape (m, 2).
        width: Width of the picture [px].
        height: Height of the picture [px].
    """

    ids: NDArray[np.int64]
    pixels: Array
    width: int
    height: int

    def among(self, points: Array) -> Array:
        """Return the points (m, 3) of `points` (all corners, 3) that these corners are."""
        return points[self.ids]


def corner_points(board: BoardConfig) -> Array:
    """Return all inner corners of the board, in its frame [m]. Shape ((squares_x - 1) * (squares_y - 1), 3)."""
    rows, columns = np.mgrid[1 : board.squares_y, 1 : board.squares_x]
    return np.stack([columns.ravel(), rows.ravel(), np.zeros(columns.size)], axis=-1) * board.square_m


@lru_cache(maxsize=64)
def cv_board(board: BoardConfig) -> Any:
    """Return OpenCV's `CharucoBoard`.

    Raises:
        CalibrationError: OpenCV has no such dictionary, or it has too few markers.
    """
    import cv2

    number = getattr(cv2.aruco, f"DICT_{board.dictionary}", None)
    if number is None:
        raise CalibrationError(
            f"calibration.board.dictionary: expected one of OpenCV's, such as 5X5_100, found {board.dictionary!r}"
        )
    dictionary = cv2.aruco.getPredefinedDictionary(number)
    needed = board.squares_x * board.squares_y // 2
    if len(dictionary.bytesList) < needed:
        raise CalibrationError(
            f"calibration.board.dictionary: expected at least {needed} markers for {board.squares_x} x "
            f"{board.squares_y} squares, found {len(dictionary.bytesList)} in {board.dictionary}"
        )
    made = cv2.aruco.CharucoBoard((board.squares_x, board.squares_y), board.square_m, board.marker_m, dictionary)
    made.setLegacyPattern(board.legacy_pattern)
    return made


def grey(picture: Pixels) -> Pixels:
    """Return a picture (h, w, 3) RGB or (h, w) as brightness (h, w), uint8."""
    if picture.ndim == 2:
        return picture
    weights = np.array([0.299, 0.587, 0.114])
    shades: Pixels = np.rint(picture[..., :3] @ weights).astype(np.uint8)
    return shades


def find_markers(board: BoardConfig, shades: Pixels) -> tuple[Array, NDArray[np.int64]]:
    """Return the corners (m, 4, 2) [px] and the numbers (m,) of the dictionary's markers in a grey picture."""
    import cv2

    found, ids, _ = cv2.aruco.ArucoDetector(cv_board(board).getDictionary()).detectMarkers(shades)
    if ids is None or len(ids) == 0:
        return np.zeros((0, 4, 2)), np.zeros(0, np.int64)
    return np.array(found, np.float64).reshape(-1, 4, 2), np.asarray(ids, np.int64).ravel()


def find_corners(board: BoardConfig, picture: Pixels, max_edge_px: float, min_corners: int) -> Corners:
    """Find the board's corners in a picture (h, w, 3) RGB or (h, w), uint8.

    Args:
        board: The board.
        picture: The picture.
        max_edge_px: Width of a marker's edge, above which the picture counts as blurred [px].
        min_corners: Smallest number of corners.

    Raises:
        BoardError: The picture shows no board, too little of it, or is blurred.
        OtherBoardError: The picture shows another board, or a mirror image.
    """
    import cv2

    from steadyhand.calibration.board_layout import check_layout
    from steadyhand.calibration.sharpness import edge_width

    shades = np.ascontiguousarray(grey(picture))
    markers, marker_ids = find_markers(board, shades)
    check_layout(board, shades, markers, marker_ids)
    if len(marker_ids) < MIN_MARKERS:
        raise BoardError(
            f"expected a board with markers of {board.dictionary}, found {len(marker_ids) or 'no'} marker"
            f"{'' if len(marker_ids) == 1 else 's'}; show the whole board in focus, or set calibration.board.dictionary"
        )
    width_px = edge_width(shades, markers)
    if width_px > max_edge_px:
        raise BoardError(
            f"expected a sharp picture, edges of at most {max_edge_px:g} px, found {width_px:.1f} px; "
            "hold still, focus, or shorten the exposure"
        )
    detector = cv2.aruco.CharucoDetector(cv_board(board))
    rows = [np.asarray(corners, np.float32).reshape(1, 4, 2) for corners in markers]
    found, ids, _, _ = detector.detectBoard(shades, None, None, rows, marker_ids.astype(np.int32).reshape(-1, 1))
    count = 0 if ids is None else len(ids)
    if count < min_corners:
        raise BoardError(f"expected at least {min_corners} corners of the board, found {count}; show more of the board")
    pixels = np.asarray(found, np.float64).reshape(-1, 2)
    return Corners(np.asarray(ids, np.int64).ravel(), pixels, shades.shape[1], shades.shape[0])

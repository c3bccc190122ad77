"""Pictures of a board by ray casting, with exact truth: a pinhole camera with Brown's distortion, antialiased."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibration.board_sheet import rectangles
from steadyhand.calibration.camera_model import CameraModel
from steadyhand.calibration.rotations import Rigid
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.camera_calibration_settings import BoardConfig

__all__ = ["BoardRenderer", "board_picture"]

CELL_PX = 3  # supersampled rays of a pixel, per axis
PAPER, INK, ROOM = 235, 25, 120
MOST_STEPS, CLOSE = 30, 1e-7  # of the inverse of the distortion


def board_picture(board: BoardConfig, px_per_m: float) -> NDArray[np.uint8]:
    """Return the board itself as a grey picture, with a white border of one square (h, w)."""
    width, height = (round((count + 2) * board.square_m * px_per_m) for count in (board.squares_x, board.squares_y))
    picture = np.full((height, width), PAPER, np.uint8)
    for x, y, w, h in rectangles(board):
        x, y = x + board.square_m, y + board.square_m
        rows, columns = (slice(round(a * px_per_m), round((a + b) * px_per_m)) for a, b in ((y, h), (x, w)))
        picture[rows, columns] = INK
    return picture


class BoardRenderer:
    """Renderer of one camera and one board.

    Args:
        board: The board.
        camera: The true camera.
        px_per_m: Resolution of the board's own picture.
    """

    def __init__(self, board: BoardConfig, camera: CameraModel, px_per_m: float = 8000.0) -> None:
        self._texture, self._px_per_m, self._border_m = board_picture(board, px_per_m), px_per_m, board.square_m
        self._size = camera.height * CELL_PX, camera.width * CELL_PX
        self._rays = _rays(camera).astype(np.float32)

    def render(self, board_in_camera: Rigid, blur_px: float = 0.0) -> NDArray[np.uint8]:
        """Return the picture (h, w, 3) of the board at a pose in the camera's frame.

        `blur_px` is the standard deviation of a Gaussian blur.
        """
        import cv2

        rotation, translation = board_in_camera
        plane = np.linalg.inv(np.stack([rotation[:, 0], rotation[:, 1], translation], axis=-1))
        hit = self._rays @ plane.T.astype(np.float32)
        with np.errstate(divide="ignore", invalid="ignore"):
            place = (hit[:, :2] / hit[:, 2:] + self._border_m) * self._px_per_m - 0.5
        place[~np.isfinite(place).all(axis=1)] = -1e6
        grid = np.clip(place, -1e6, 1e6).astype(np.float32).reshape(*self._size, 2)
        seen = cv2.remap(self._texture, grid, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=ROOM)
        shades = cv2.resize(seen, (self._size[1] // CELL_PX, self._size[0] // CELL_PX), interpolation=cv2.INTER_AREA)
        if blur_px > 0.0:
            shades = cv2.GaussianBlur(shades, (0, 0), blur_px)
        return np.repeat(shades[..., None], 3, axis=-1)


def _rays(camera: CameraModel) -> Array:
    """Return the direction of each ray in the camera's frame, z = 1. Shape (rays, 3)."""
    steps = [(np.arange(size * CELL_PX) + 0.5) / CELL_PX - 0.5 for size in (camera.width, camera.height)]
    columns, rows = np.meshgrid(*steps)
    at = np.stack(
        [(columns.ravel() - camera.cx_px) / camera.fx_px, (rows.ravel() - camera.cy_px) / camera.fy_px], axis=-1
    )
    k1, k2, p1, p2, k3 = camera.distortion
    bent = at.copy()
    for _ in range(MOST_STEPS):  # fixed-point iteration: the distortion is a small part of the place
        x, y = at.T
        r2 = x * x + y * y
        shift = np.stack([2 * p1 * x * y + p2 * (r2 + 2 * x * x), p1 * (r2 + 2 * y * y) + 2 * p2 * x * y], axis=-1)
        moved = (bent - shift) / (1.0 + r2 * (k1 + r2 * (k2 + r2 * k3)))[:, None]
        if np.abs(moved - at).max() < CLOSE:
            break
        at = moved
    return np.concatenate([at, np.ones((len(at), 1))], axis=-1)

"""Random views of a board with exact truth, for the benchmark and the tests of the calibration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from steadyhand.calibration.board import Corners, corner_points
from steadyhand.calibration.camera_model import CameraModel, project
from steadyhand.calibration.rotations import Rigid, compose, inverse, matrix_from_rotvec, pose_from_rigid
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.camera_calibration_settings import BoardConfig

__all__ = ["corners_at", "hand_eye_scene", "random_camera", "spread_views"]


def random_camera(rng: np.random.Generator, width: int = 640, height: int = 480) -> CameraModel:
    """Return a camera with a horizontal field of view of about 56 degrees and a lens of ordinary distortion."""
    focal = rng.uniform(0.85, 1.05) * width
    centre = np.array([width - 1, height - 1]) / 2 + rng.uniform(-8.0, 8.0, 2)
    bend = rng.uniform([-0.15, -0.05, -1e-3, -1e-3, 0.0], [0.05, 0.1, 1e-3, 1e-3, 0.0])
    return CameraModel.from_vector(width, height, np.array([focal, focal * rng.uniform(0.998, 1.002), *centre, *bend]))


def spread_views(rng: np.random.Generator, board: BoardConfig, camera: CameraModel, count: int) -> list[Rigid]:
    """Return board_in_camera of views whose boards are tilted, and spread over the picture."""
    middle = np.array([board.squares_x, board.squares_y, 0.0]) * board.square_m / 2
    views = []
    for index in range(count):
        tilt, towards = np.radians(rng.uniform(15.0, 40.0)), index * 2.4  # the golden angle spreads the directions
        turn = matrix_from_rotvec(tilt * np.array([np.cos(towards), np.sin(towards), 0.0]))
        turn = turn @ matrix_from_rotvec(np.array([0.0, 0.0, rng.uniform(-0.6, 0.6)]))
        distance = rng.uniform(0.26, 0.45)
        reach = 0.25 * distance * np.array([camera.width / camera.fx_px, camera.height / camera.fy_px])
        side = rng.uniform(-1.0, 1.0, 2) * reach
        views.append((turn, np.array([*side, distance]) - turn @ middle))
    return views


def corners_at(board: BoardConfig, camera: CameraModel, views: Sequence[Rigid]) -> list[Corners]:
    """Return the exact corners that each view shows, without rendering."""
    points: Array = corner_points(board)
    shown = []
    for turn, shift in views:
        pixels = project(camera.vector, points @ turn.T + shift)
        inside = ((pixels >= 0.0) & (pixels <= np.array([camera.width, camera.height]) - 1.0)).all(axis=1)
        shown.append(Corners(np.flatnonzero(inside), pixels[inside], camera.width, camera.height))
    return shown


def hand_eye_scene(
    rng: np.random.Generator, board: BoardConfig, camera: CameraModel, count: int, mount: str
) -> tuple[Rigid, Rigid, list[Rigid], Array]:
    """Return a true hand-eye problem.

    Returns:
        camera_in_tool or camera_in_base; board_in_base or board_in_tool; board_in_camera of each view; the TCP's poses
        in base (count, 7).
    """
    eye = matrix_from_rotvec(rng.normal(0.0, 0.4, 3)), rng.uniform(-0.08, 0.08, 3)
    target = matrix_from_rotvec(np.array([np.pi, 0.0, 0.0]) + rng.normal(0.0, 0.3, 3)), np.array([0.5, 0.1, 0.05])
    views = spread_views(rng, board, camera, count)
    robots = [compose(target, inverse(compose(eye, view))) for view in views]
    tools = robots if mount == "tool" else [inverse(robot) for robot in robots]
    return eye, target, views, np.array([pose_from_rigid(tool) for tool in tools])

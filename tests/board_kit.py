"""A small camera and board with exact truth, for the tests of the calibration."""

from dataclasses import replace
from functools import cache

import numpy as np

from benchmarks.board_renderer import BoardRenderer
from benchmarks.calibration_scene import corners_at, hand_eye_scene, random_camera, spread_views
from steadyhand.calibration.camera_model import CameraModel
from steadyhand.calibration.rotations import matrix_from_rotvec
from steadyhand.runtime.calibration_settings import CalibrationSettings
from tests.settings_kit import shipped

SETTINGS = shipped(CalibrationSettings, "calibration")
BOARD = SETTINGS.board
SMALL = CameraModel(320, 240, 300.0, 301.0, 160.0, 119.0, (-0.1, 0.03, 0.0005, -0.0005, 0.0))


@cache
def renderer():
    """Return the renderer of the small camera; making it takes most of the time."""
    return BoardRenderer(BOARD, SMALL)


def facing(tilt_rad=0.3, turn_rad=0.1, distance_m=0.3):
    """Return board_in_camera of a board in the middle of the picture."""
    turn = matrix_from_rotvec(np.array([tilt_rad, 0.0, 0.0])) @ matrix_from_rotvec(np.array([0.0, 0.0, turn_rad]))
    middle = np.array([BOARD.squares_x, BOARD.squares_y, 0.0]) * BOARD.square_m / 2
    return turn, np.array([0.0, 0.0, distance_m]) - turn @ middle


def exact_views(seed=0, count=12, camera=None):
    """Return a random camera, and the exact corners of views that are spread over its picture."""
    rng = np.random.default_rng(seed)
    camera = camera or random_camera(rng)
    return camera, corners_at(BOARD, camera, spread_views(rng, BOARD, camera, count))


def exact_hand_eye(seed=0, count=14, mount="tool"):
    """Return camera, true eye, true board, exact corners and exact TCP poses."""
    rng = np.random.default_rng(seed)
    camera = random_camera(rng)
    eye, target, views, poses = hand_eye_scene(rng, BOARD, camera, count, mount)
    return camera, eye, target, corners_at(BOARD, camera, views), poses


def noisy(rng, views, std_px):
    """Return the views with noise on every corner."""
    return [replace(view, pixels=view.pixels + rng.normal(0.0, std_px, view.pixels.shape)) for view in views]

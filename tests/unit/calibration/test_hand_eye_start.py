from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibration.axxb import park_martin, relative_motions
from steadyhand.calibration.board import corner_points
from steadyhand.calibration.board_pose import board_poses
from steadyhand.calibration.hand_eye_start import robust_start
from steadyhand.calibration.reprojection import Views
from steadyhand.calibration.rotations import rigid_from_pose
from tests.board_kit import BOARD, SETTINGS, exact_hand_eye

pytest.importorskip("cv2")


def test_a_third_of_wrong_poses_does_not_spoil_the_start():
    camera, eye, _, shown, poses = exact_hand_eye(0, 15)
    poses[::3, :3] += np.random.default_rng(0).normal(0.0, 0.05, (5, 3))
    points, robot = corner_points(BOARD), rigid_from_pose(poses)
    seen = board_poses(shown, points, camera)
    views = Views.stacked(robot, shown, points)
    start = robust_start(views, seen, camera.vector, SETTINGS.hand_eye)
    assert start.eye[1] == pytest.approx(eye[1], abs=1e-3)
    _, spoilt = park_martin(*relative_motions(robot, seen))
    assert np.linalg.norm(spoilt - eye[1]) > 5e-3
    again = robust_start(views, seen, camera.vector, replace(SETTINGS.hand_eye))
    assert again.eye[1].tolist() == start.eye[1].tolist()

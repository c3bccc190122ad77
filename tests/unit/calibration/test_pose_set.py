from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from steadyhand.calibration.pose_set import PoseSetSettings, poses_about
from steadyhand.robot_envs.frames import pose_relative
from steadyhand.runtime.calibration_file import CalibrationError
from tests.cell_kit import DOWN
from tests.robot_kit import limits

SETTINGS = PoseSetSettings((-0.3, 0.0, 0.3), (-0.2, 0.2), 0.01, 0.02, 6)
START = np.concatenate([[0.5, 0.0, 0.25], DOWN])
BOARD = np.array([0.5, 0.05, 0.0])


def test_the_point_stays_where_it_was_in_the_tool_frame():
    poses = poses_about(START, BOARD, limits(), SETTINGS)
    point = np.broadcast_to(np.concatenate([BOARD, [0, 0, 0, 1]]), (len(poses), 7))
    seen = pose_relative(poses, point)[:, :3]
    assert np.allclose(seen, pose_relative(START, point[0])[:3])
    assert len(poses) == 9


def test_every_pose_keeps_its_distance_from_the_walls():
    tight = limits(workspace_high_m=(0.7, 0.3, 0.26))
    region, found = tight.region, poses_about(START, BOARD, tight, replace(SETTINGS, min_poses=3))
    excess = np.array([region.excess(row[:3].tolist(), row[3:].tolist()) for row in found])
    assert (excess[:, 0] <= -SETTINGS.inside_m).all()
    assert (excess[:, 1] <= -SETTINGS.inside_rad).all()


def test_neighbours_in_the_order_turn_by_one_step():
    poses = poses_about(START, START[:3], limits(), replace(SETTINGS, turns_rad=(0.0,)))
    steps = [np.linalg.norm(pose_relative(a, b)[3:6]) for a, b in pairwise(poses)]
    assert max(steps) < 1.01 * np.sin(0.15) * 1.01


@pytest.mark.parametrize(
    "tight",
    [limits(max_tilt_rad=0.05), limits(workspace_low_m=(0.48, -0.02, 0.23), workspace_high_m=(0.52, 0.02, 0.27))],
)
def test_a_workspace_without_room_is_refused_with_what_helps(tight):
    with pytest.raises(CalibrationError, match=r"start nearer to the middle of the workspace, or raise safety"):
        poses_about(START, BOARD, tight, SETTINGS)


def test_one_angle_is_no_set():
    with pytest.raises(ValueError, match="tilts_rad"):
        replace(SETTINGS, tilts_rad=(0.3,))

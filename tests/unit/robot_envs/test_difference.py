"""Speeds that a driver does not report."""

import numpy as np
import pytest

from steadyhand.robot_envs.difference import Difference, pose_difference
from steadyhand.robot_envs.frames import quat_from_rotvec

NS = 1_000_000_000


def test_it_is_the_way_over_the_time_between_two_readings():
    speed = Difference(2)
    assert speed.at(np.array([1.0, 2.0]), NS) == pytest.approx([0.0, 0.0])
    assert speed.at(np.array([1.5, 1.0]), 3 * NS) == pytest.approx([0.25, -0.5])


def test_the_same_reading_asked_for_again_keeps_its_speed():
    speed = Difference(1)
    speed.at(np.array([0.0]), 0)
    for _ in range(2):
        assert speed.at(np.array([1.0]), NS) == pytest.approx([1.0])


def test_a_turn_is_told_about_the_axes_of_the_frame_of_the_pose():
    before = np.array([0.0, 0.0, 0.0, *quat_from_rotvec(np.array([0.0, np.pi, 0.0]))])
    after = np.array([0.1, 0.0, 0.0, *quat_from_rotvec(np.array([0.0, np.pi - 0.2, 0.0]))])
    assert pose_difference(after, before) == pytest.approx([0.1, 0.0, 0.0, 0.0, -0.2, 0.0])

import numpy as np
import pytest

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.safety.limits import clip_length, clip_step, clip_tilt, clip_to_workspace
from tests.robot_kit import TOOL_DOWN, limits


def test_position_outside_the_box_is_brought_to_its_face():
    assert clip_to_workspace(np.array([[1.0, 0.0, -1.0]]), TOOL_DOWN[None], limits()) == pytest.approx(
        np.array([[0.7, 0.0, 0.01]])
    )


def test_tilt_keeps_its_axis_and_loses_its_excess():
    tilted = frames.quat_multiply(TOOL_DOWN, frames.quat_from_rotvec(np.array([0.0, 0.9, 0.0])))
    away = frames.quat_multiply(frames.quat_inverse(TOOL_DOWN), clip_tilt(tilted[None], limits())[0])
    assert frames.rotvec_from_quat(away) == pytest.approx([0.0, 0.4, 0.0])


def test_short_vector_is_left_alone_and_long_one_keeps_its_direction():
    assert clip_length(np.array([0.1, 0.0, 0.0]), 1.0) == pytest.approx([0.1, 0.0, 0.0])
    assert clip_length(np.array([3.0, 4.0, 0.0]), 1.0) == pytest.approx([0.6, 0.8, 0.0])
    assert clip_length(np.zeros(3), 1.0) == pytest.approx(np.zeros(3))


def test_step_is_limited_by_speed_times_period():
    measured = frames.pose(np.array([[0.5, 0.0, 0.2]]), TOOL_DOWN)
    turn = frames.quat_multiply(TOOL_DOWN, frames.quat_from_rotvec(np.array([0.0, 0.0, 1.0])))
    target = clip_step(measured, frames.pose(np.array([[0.6, 0.0, 0.2]]), turn), limits(), 0.1)
    step = frames.pose_to_vector(frames.pose_relative(measured, target))[0]
    assert np.linalg.norm(step[:3]) == pytest.approx(0.025)
    assert np.linalg.norm(step[3:]) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"workspace_low_m": (0.0, 0.0)}, "three numbers"),
        ({"workspace_low_m": (0.8, -0.3, 0.01)}, "low < high"),
        ({"nominal_quat": (1.0, 1.0, 0.0, 0.0)}, "unit quaternion"),
        ({"max_force_n": 0.0}, "max_force_n"),
        ({"max_tilt_rad": float("nan")}, "max_tilt_rad"),
    ],
)
def test_limits_that_make_no_sense_are_refused(change, word):
    with pytest.raises(ValueError, match=word):
        limits(**change)

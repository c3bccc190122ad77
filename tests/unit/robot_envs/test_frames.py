import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from steadyhand.robot_envs import frames

rotvecs = arrays(np.float64, 3, elements=st.floats(-1.7, 1.7))
vectors = arrays(np.float64, 3, elements=st.floats(-2.0, 2.0))


@given(rotvecs)
def test_rotation_vector_round_trip(rotvec):
    back = frames.rotvec_from_quat(frames.quat_from_rotvec(rotvec))
    assert back == pytest.approx(rotvec, abs=1e-9)


@given(rotvecs, vectors)
def test_rotation_keeps_length_and_undoes_itself(rotvec, vector):
    quat = frames.quat_from_rotvec(rotvec)
    turned = frames.quat_rotate(quat, vector)
    assert np.linalg.norm(turned) == pytest.approx(np.linalg.norm(vector), abs=1e-9)
    assert frames.quat_rotate(frames.quat_inverse(quat), turned) == pytest.approx(vector, abs=1e-9)


@given(rotvecs, vectors, rotvecs, vectors)
def test_relative_pose_composes_back(rotvec_a, position_a, rotvec_b, position_b):
    a = frames.pose(position_a, frames.quat_from_rotvec(rotvec_a))
    b = frames.pose(position_b, frames.quat_from_rotvec(rotvec_b))
    again = frames.pose_compose(a, frames.pose_relative(a, b))
    assert again[:3] == pytest.approx(b[:3], abs=1e-9)
    assert abs(again[3:] @ b[3:]) == pytest.approx(1.0, abs=1e-9)


def test_quarter_turn_about_z_takes_x_to_y():
    quat = frames.quat_from_rotvec(np.array([0.0, 0.0, np.pi / 2]))
    assert frames.quat_rotate(quat, np.array([1.0, 0.0, 0.0])) == pytest.approx([0.0, 1.0, 0.0], abs=1e-12)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 2, 3.0, np.pi])
def test_matrix_to_quaternion_agrees_with_rotation(axis, angle):
    quat = frames.quat_from_rotvec(np.eye(3)[axis] * angle)
    matrix = np.stack([frames.quat_rotate(quat, column) for column in np.eye(3)], axis=1)
    assert abs(frames.quat_from_matrix(matrix) @ quat) == pytest.approx(1.0, abs=1e-12)


def test_lengths_and_cross_products_agree_with_numpy():
    a, b = np.random.default_rng(0).normal(size=(2, 5, 3))
    assert frames.length(a) == pytest.approx(np.linalg.norm(a, axis=1))
    assert frames.cross(a, b) == pytest.approx(np.cross(a, b))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_so_without_an_error(value):
    broken = frames.pose_from_vector(np.full(6, value))
    assert not np.isfinite(broken).any()
    for pose in (frames.pose_compose(broken, broken), frames.pose_inverse(broken)):
        assert not np.isfinite(pose[:3]).any()
        assert not np.isfinite(frames.pose_to_vector(pose)[:3]).any()


def test_leading_axes_are_broadcast():
    turn = frames.quat_from_rotvec(np.array([0.0, 0.0, np.pi / 2]))
    turned = frames.quat_rotate(turn[None, None], np.ones((2, 3, 3)))
    assert turned == pytest.approx(np.broadcast_to([-1.0, 1.0, 1.0], (2, 3, 3)))


def test_works_over_any_leading_axes():
    poses = frames.pose(np.ones((4, 2, 3)))
    assert frames.pose_compose(poses, poses).shape == (4, 2, 7)
    assert frames.pose_to_vector(poses).shape == (4, 2, 6)
    assert frames.pose_from_vector(frames.pose_to_vector(poses)) == pytest.approx(poses)

import numpy as np
import pytest

from steadyhand.calibration.rotations import (
    angle_of,
    compose,
    cross_matrix,
    inverse,
    matrix_from_quat,
    matrix_from_rotvec,
    nearest_rotation,
    pose_from_rigid,
    rigid_from_pose,
    rotvec_from_matrix,
)
from steadyhand.robot_envs.frames import pose_compose, pose_from_vector, quat_rotate

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(40, 3))


@pytest.mark.parametrize("scale", [0.0, 1e-9, 1e-4, 1.0, 3.1])
def test_a_rotation_vector_survives_the_way_there_and_back(scale):
    vectors = scale * VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    assert rotvec_from_matrix(matrix_from_rotvec(vectors)) == pytest.approx(vectors, abs=1e-9)
    assert angle_of(matrix_from_rotvec(vectors)) == pytest.approx(np.full(len(vectors), scale), abs=1e-9)


def test_matrices_and_poses_agree_with_the_poses_of_robot_envs():
    first, second = pose_from_vector(RNG.normal(size=(8, 6))), pose_from_vector(RNG.normal(size=(8, 6)))
    joined = pose_from_rigid(compose(rigid_from_pose(first), rigid_from_pose(second)))
    expected = pose_compose(first, second)
    expected[:, 3:] *= np.sign(expected[:, 6:])
    assert joined == pytest.approx(expected, abs=1e-12)
    point = np.array([0.3, -0.2, 0.5])
    assert matrix_from_quat(first[:, 3:]) @ point == pytest.approx(quat_rotate(first[:, 3:], np.tile(point, (8, 1))))


def test_an_inverse_composes_to_the_identity():
    rigid = rigid_from_pose(pose_from_vector(RNG.normal(size=(5, 6))))
    turn, shift = compose(rigid, inverse(rigid))
    assert turn == pytest.approx(np.tile(np.eye(3), (5, 1, 1)), abs=1e-12)
    assert shift == pytest.approx(np.zeros((5, 3)), abs=1e-12)


def test_the_cross_matrix_multiplies_as_the_cross_product():
    assert cross_matrix(VECTORS[0]) @ VECTORS[1] == pytest.approx(np.cross(VECTORS[0], VECTORS[1]))


def test_the_nearest_rotation_is_one_even_for_a_reflection():
    turn = nearest_rotation(np.diag([1.0, 1.0, -1.0]) + 0.01 * RNG.normal(size=(3, 3)))
    assert np.linalg.det(turn) == pytest.approx(1.0)
    assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-12)

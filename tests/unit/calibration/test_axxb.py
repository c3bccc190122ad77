import numpy as np
import pytest

from steadyhand.calibration.axxb import CLOSED_FORMS, motion_scale, relative_motions
from steadyhand.calibration.rotations import compose, inverse, matrix_from_rotvec

FORMS = list(CLOSED_FORMS)


def problem(seed, count=8, axis=None):
    rng = np.random.default_rng(seed)
    eye = matrix_from_rotvec(rng.normal(size=3)), 0.1 * rng.normal(size=3)
    board = matrix_from_rotvec(rng.normal(size=3)), rng.normal(size=3)
    vectors = 0.6 * rng.normal(size=(count, 3)) if axis is None else rng.uniform(-1.0, 1.0, (count, 1)) * axis
    robot = matrix_from_rotvec(vectors), 0.3 * rng.normal(size=(count, 3))
    return eye, robot, compose(inverse(eye), compose(inverse(robot), board))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [3, 8])
def test_every_closed_form_solves_exact_motions(form, seed, count):
    eye, robot, seen = problem(seed, count)
    turn, shift = CLOSED_FORMS[form](*relative_motions(robot, seen))
    assert turn == pytest.approx(eye[0], abs=1e-9)
    assert shift == pytest.approx(eye[1], abs=1e-9)


def test_the_motions_obey_the_equation():
    eye, robot, seen = problem(0)
    a, b = relative_motions(robot, seen)
    left, right = compose(a, eye), compose(eye, b)
    assert left[0] == pytest.approx(right[0], abs=1e-12)
    assert left[1] == pytest.approx(right[1], abs=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_one_axis_leaves_the_position_along_it_unknown(form):
    eye, robot, seen = problem(1, axis=np.array([0.0, 0.0, 1.0]))
    try:
        _, shift = CLOSED_FORMS[form](*relative_motions(robot, seen))
    except (ValueError, np.linalg.LinAlgError):
        return
    assert np.linalg.norm(shift - eye[1]) > 1e-3


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
def test_the_scale_is_that_of_the_boards_squares(factor):
    eye, robot, seen = problem(2)
    a, b = relative_motions(robot, (seen[0], factor * seen[1]))
    scale, std = motion_scale(a, b, eye[0])
    assert scale == pytest.approx(1.0 / factor, rel=1e-9)
    assert std < 1e-9


def test_the_scales_deviation_describes_its_error():
    errors = []
    for seed in range(40):
        eye, robot, seen = problem(seed)
        noise = 0.002 * np.random.default_rng(seed).normal(size=seen[1].shape)
        scale, std = motion_scale(*relative_motions(robot, (seen[0], seen[1] + noise)), eye[0])
        errors.append((scale - 1.0) / std)
    assert 0.5 < np.sqrt(np.mean(np.square(errors))) < 1.7

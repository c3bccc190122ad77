import numpy as np
import pytest

from steadyhand.calibration.board import corner_points
from steadyhand.calibration.reprojection import Estimate, Noise, Views, predicted, refine, view_errors
from steadyhand.calibration.rotations import angle_of, matrix_from_rotvec, rigid_from_pose
from tests.board_kit import BOARD, exact_hand_eye, noisy

pytest.importorskip("scipy")

NOISE = Noise(2e-4, 5e-4)
STEP = np.array([5e-3, -4e-3, 3e-3, 0.02, -0.03, 0.02, 4e-3, 2e-3, -5e-3, -0.02, 0.02, 0.03])


def scene(seed=0, corner_px=0.0, robot=0.0, count=14):
    """Return the truth, and views with noise on the corners and `robot` times the expected noise on the poses."""
    rng = np.random.default_rng(seed)
    camera, eye, target, shown, poses = exact_hand_eye(seed, count)
    turn, shift = rigid_from_pose(poses)
    shift = shift + rng.normal(0.0, robot * NOISE.position_m + 1e-12, shift.shape)
    turn = turn @ matrix_from_rotvec(rng.normal(0.0, robot * NOISE.rotation_rad + 1e-12, shift.shape))
    views = Views.stacked((turn, shift), noisy(rng, shown, corner_px), corner_points(BOARD))
    return Estimate(eye, target, camera.vector), views


def test_the_truth_has_no_error():
    truth, views = scene()
    assert np.abs(predicted(truth, views) - views.pixels).max() < 1e-6
    assert view_errors(truth, views).max() < 1e-6


def test_the_refinement_finds_the_truth_from_afar():
    truth, views = scene()
    found = refine(truth.moved(STEP), views, NOISE, False).estimate
    assert found.eye[1] == pytest.approx(truth.eye[1], abs=1e-6)
    assert angle_of(found.eye[0].T @ truth.eye[0]) < 1e-5


def test_the_intrinsics_are_refined_when_asked_for():
    truth, views = scene()
    wrong = Estimate(truth.eye, truth.board, truth.camera * np.array([1.01, 1.01, 1, 1, 1, 1, 1, 1, 1]))
    assert refine(wrong, views, NOISE, True).estimate.camera[:2] == pytest.approx(truth.camera[:2], rel=1e-4)
    assert refine(wrong, views, NOISE, False).estimate.camera[0] == wrong.camera[0]


@pytest.mark.parametrize(("corner_px", "robot"), [(0.3, 0.0), (0.1, 1.0), (0.2, 4.0)])
@pytest.mark.slow
def test_the_standard_deviations_and_the_fitted_noise_describe_the_errors(corner_px, robot):
    position, rotation, sizes, factors = [], [], [], []
    for seed in range(12):
        truth, views = scene(seed, corner_px, robot)
        rough = refine(truth, views, NOISE, False).estimate
        found = refine(rough, views, NOISE, False)
        position.append((found.estimate.eye[1] - truth.eye[1]) / found.position_std_m)
        rotation.append(angle_of(found.estimate.eye[0].T @ truth.eye[0]) / np.linalg.norm(found.rotation_std_rad))
        sizes.append(found.corner_std_px)
        factors.append(found.robot_factor)
    assert 0.6 < np.sqrt(np.mean(np.square(position))) < 1.6
    assert 0.6 < np.sqrt(np.mean(np.square(rotation))) < 1.6
    assert np.median(sizes) == pytest.approx(corner_px, rel=0.1)
    assert np.median(factors) == pytest.approx(robot, rel=0.4, abs=0.1)


def test_weights_for_the_robots_noise_are_better_than_equal_ones():
    with_weights, equal = [], []
    for seed in range(8):
        truth, views = scene(seed, 0.05, 3.0)
        for noise, errors in ((NOISE, with_weights), (Noise(1e-12, 1e-12), equal)):
            found = refine(refine(truth, views, noise, False).estimate, views, noise, False).estimate
            errors.append(np.linalg.norm(found.eye[1] - truth.eye[1]))
    assert np.median(with_weights) < np.median(equal)


def test_chosen_views_keep_their_corners():
    _, views = scene()
    mask = np.arange(views.count) % 2 == 0
    few = views.chosen(mask)
    assert few.count == mask.sum()
    assert few.pixels == pytest.approx(views.pixels[mask[views.view]])
    assert few.robot[1][few.view] == pytest.approx(views.robot[1][views.view][mask[views.view]])

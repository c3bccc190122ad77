from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibration.hand_eye import calibrate_hand_eye
from steadyhand.calibration.pose_spread import PoseSpreadError
from steadyhand.calibration.rotations import angle_of, rigid_from_pose
from steadyhand.runtime.calibration_file import CalibrationError
from tests.board_kit import BOARD, SETTINGS, exact_hand_eye, noisy

pytest.importorskip("cv2")
pytest.importorskip("scipy")

WANTED = SETTINGS.hand_eye


def solve(camera, shown, poses, mount="tool", wanted=WANTED, **given):
    return calibrate_hand_eye(given.pop("board", BOARD), shown, poses, camera, mount, wanted, **given)


def errors(found, eye):
    turn, shift = rigid_from_pose(found.camera)
    return 1e3 * np.linalg.norm(shift - eye[1]), np.degrees(angle_of(turn.T @ eye[0]))


@pytest.mark.parametrize("mount", ["tool", "base"])
def test_exact_data_give_the_camera_and_the_board(mount):
    camera, eye, target, shown, poses = exact_hand_eye(1, mount=mount)
    found = solve(camera, shown, poses, mount)
    assert errors(found, eye) == pytest.approx((0.0, 0.0), abs=1e-3)
    assert rigid_from_pose(found.board)[1] == pytest.approx(target[1], abs=1e-5)
    assert found.used.all()
    assert found.hold_out.mm < 0.01
    assert found.scale == pytest.approx(1.0, abs=1e-4)


def test_wrong_poses_are_found_and_do_not_matter():
    camera, eye, _, shown, poses = exact_hand_eye(2, 20)
    rng = np.random.default_rng(0)
    poses[[4, 11], :3] += [[0.01, 0.0, 0.0], [0.0, -0.02, 0.01]]
    shown = noisy(rng, shown, 0.5)
    found = solve(camera, shown, poses)
    assert np.flatnonzero(~found.used).tolist() == [4, 11]
    apart_mm, apart_deg = errors(found, eye)
    assert apart_mm < 1.5
    assert apart_deg < 0.3
    assert found.view_mm[[4, 11]].min() > 5.0
    kept = solve(camera, shown, poses, wanted=replace(WANTED, outlier_floor_px=1e3))
    assert kept.used.all()
    assert errors(kept, eye)[0] > 2 * apart_mm


def test_the_hold_out_error_is_that_of_new_views():
    camera, _, _, shown, poses = exact_hand_eye(3, 16)
    found = solve(camera, noisy(np.random.default_rng(1), shown, 0.3), poses)
    assert found.hold_out.px > found.rms_px
    assert found.hold_out.px == pytest.approx(0.3 * np.sqrt(2.0), rel=0.2)


def test_squares_of_another_size_are_named():
    camera, _, _, shown, poses = exact_hand_eye(4)
    with pytest.raises(
        CalibrationError, match=r"squares of 27\.50 mm, found that the robot's motion fits .* 25\.0\d mm"
    ):
        solve(camera, shown, poses, board=replace(BOARD, square_m=0.0275))


@pytest.mark.slow
def test_noise_alone_is_not_taken_for_squares_of_another_size():
    for seed in range(8):
        camera, _, _, shown, poses = exact_hand_eye(seed, 12)
        solve(camera, noisy(np.random.default_rng(seed), shown, 0.7), poses)


def test_poses_that_turn_about_one_axis_are_refused():
    camera, _, _, shown, poses = exact_hand_eye(5)
    angle = np.linspace(-0.5, 0.5, len(poses))
    poses[:, 3:] = np.stack([np.zeros_like(angle), np.zeros_like(angle), np.sin(angle), np.cos(angle)], axis=-1)
    with pytest.raises(PoseSpreadError, match="rotations about two axes"):
        solve(camera, shown, poses)


def test_poses_in_another_order_than_the_pictures_are_refused():
    camera, _, _, shown, poses = exact_hand_eye(6)
    with pytest.raises(CalibrationError) as refused:
        solve(camera, shown, np.roll(poses, 1, axis=0))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda poses: poses[:-1], "one pose of 7 numbers for each of 14 pictures"),
        (lambda poses: poses * np.array([1, 1, 1, 2, 2, 2, 2]), "unit quaternions"),
        (lambda poses: poses * np.nan, "finite numbers"),
    ],
)
def test_wrong_poses_are_refused(change, expected):
    camera, _, _, shown, poses = exact_hand_eye(0)
    with pytest.raises(CalibrationError, match=expected):
        solve(camera, shown, change(poses))


def test_the_intrinsics_of_another_size_are_refused():
    camera, _, _, shown, poses = exact_hand_eye(0)
    with pytest.raises(CalibrationError, match="pictures of 1280 x 960, as the intrinsics say, found 640 x 480"):
        solve(replace(camera, width=1280, height=960), shown, poses)

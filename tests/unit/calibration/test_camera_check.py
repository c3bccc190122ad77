import re
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibration.camera_check import Placement, check_camera, hand_eye_of
from steadyhand.calibration.reference import ArmPose, reference_points, write_reference
from steadyhand.robot_envs.camera import CameraError
from steadyhand.robot_envs.frames import quat_from_rotvec, quat_multiply
from steadyhand.runtime.calibration_file import read_calibration, write_calibration
from steadyhand.runtime.calibration_settings import CalibrationSettings, UsedCalibration
from tests.board_kit import SETTINGS, SMALL, facing, renderer
from tests.settings_kit import shipped

cv2 = pytest.importorskip("cv2")


POSE = np.array([[0.5, 0.0, 0.3, 1.0, 0.0, 0.0, 0.0]])


def reference(folder, arm=None):
    picture = renderer().render(facing())
    return write_reference(folder, "side", {}, picture, reference_points([picture], SETTINGS.drift), 1, arm)


def at(tool, opening_m=0.02):
    return ArmPose(tool, np.zeros((len(tool), 7)), np.full(len(tool), opening_m))


def away(way_m=0.0, turn_rad=0.0):
    """Return the pose of the tool at some distance from that of the reference."""
    turned = quat_multiply(quat_from_rotvec(np.array([0.0, turn_rad, 0.0])), POSE[0, 3:])
    return at(np.concatenate([POSE[0, :3] + [0.0, way_m, 0.0], turned])[None])


def seen(shift_m=0.0):
    turn, shift = facing()
    return renderer().render((turn, shift - np.array([shift_m, 0.0, 0.0])))


def another_scene():
    picture = np.full((240, 320, 3), 140, np.uint8)
    for column, row in np.random.default_rng(0).integers([20, 20], [300, 220], (25, 2)).tolist():
        cv2.circle(picture, (column, row), 15, (column % 255, row, 60), -1)
    return picture


@pytest.mark.parametrize(
    ("picture", "placement", "text"),
    [
        (lambda: seen(), Placement.IN_PLACE, "edge points have not moved"),
        (lambda: seen(0.003), Placement.MOVED, r"shifted by \d\.\d px since the reference; calibrate hand-eye again"),
        (lambda: another_scene(), Placement.MOVED, r"moved far \(by more than 24 px\), or something covers"),
        (lambda: np.full((240, 320, 3), 20, np.uint8), Placement.UNKNOWN, "found 0; it is dark, covered or out of"),
    ],
)  # fmt: skip
def test_verdicts(tmp_path, picture, placement, text):
    verdict = check_camera("side", reference(tmp_path), picture, SETTINGS)
    assert verdict.placement is placement
    assert re.search(text, verdict.text)
    assert str(verdict).startswith(f"side: {placement.value}: ")
    assert "\n" not in str(verdict)


def test_a_silent_camera_is_not_taken_for_a_moved_one(tmp_path):
    def take():
        raise CameraError("camera 'side': expected a picture within 5 s, found none")

    verdict = check_camera("side", reference(tmp_path), take, SETTINGS)
    assert verdict.placement is Placement.SILENT
    assert "found none" in verdict.text


def test_the_distance_in_the_workspace_follows_from_the_hand_eye_calibration(tmp_path):
    values = {"frame": "base", "position_m": [0.5, 0.0, 0.3], "fx_px": SMALL.fx_px, "width": SMALL.width}
    path = write_calibration(
        tmp_path / "hand_eye", "hand_eye", "side", belongs_to={}, sets={}, values=values, residuals={}
    )
    hand_eye = read_calibration(path)
    settings = shipped(CalibrationSettings, "calibration", "calibration.pictures.width=320")
    # The board is 0.3 m away, as the middle of the workspace is here, so that 3 mm are 3 mm.
    path, middle_m = reference(tmp_path), (0.5, 0.0, 0.0)
    verdict = check_camera("side", path, lambda: seen(0.003), settings, None, hand_eye, middle_m)
    assert ", about 3." in verdict.text or ", about 2.9" in verdict.text
    assert "mm in the middle of the workspace" in verdict.text


def test_the_hand_eye_calibration_is_that_of_the_same_device(tmp_path):
    path = write_calibration(tmp_path, "hand_eye", "side", belongs_to={}, sets={}, values={}, residuals={})
    settings = replace(SETTINGS, used=(UsedCalibration(str(path), "hand_eye", "2026-01-01T00:00:00Z", ""),))
    assert hand_eye_of(settings, "side").device == "side"
    assert hand_eye_of(settings, "wrist") is None


@pytest.mark.parametrize(
    ("pose", "shift_m", "placement", "text"),
    [
        (away(), 0.0, Placement.IN_PLACE, "that of the reference (the arm's place explains up to 0.0 px)"),
        (away(), 0.003, Placement.MOVED, "px since the reference (the arm's place explains up to 0.0 px)"),
        (away(0.001, 0.002), 0.003, Placement.IN_PLACE, "(the arm's place explains up to 6.8 px)"),
        (away(0.02), 0.003, Placement.UNKNOWN, "the arm is 20.0 mm and 0.00 deg from the pose of the reference"),
        (away(0.0, 0.02), 0.003, Placement.UNKNOWN, "the arm is 0.0 mm and 1.15 deg from the pose of the reference"),
        (None, 0.003, Placement.UNKNOWN, "it is on the arm, whose pose is not known here"),
        (at(POSE, 0.06), 0.0, Placement.UNKNOWN, "0.00 deg, its gripper 40.0 mm, from the pose of the reference"),
        (at(np.repeat(POSE, 2, axis=0)), 0.0, Placement.UNKNOWN, "whose pose is not known here"),
    ],
)
def test_a_camera_on_the_arm_is_compared_near_the_pose_of_its_reference(tmp_path, pose, shift_m, placement, text):
    path = reference(tmp_path, at(POSE))
    verdict = check_camera("wrist", path, lambda: seen(shift_m), SETTINGS, pose)
    assert verdict.placement is placement
    assert text in verdict.text

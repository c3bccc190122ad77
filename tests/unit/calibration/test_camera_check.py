import re
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibration.camera_check import Placement, check_camera, hand_eye_of
from steadyhand.calibration.reference import reference_points, write_reference
from steadyhand.robot_envs.camera import CameraError
from steadyhand.runtime.calibration_file import read_calibration, write_calibration
from steadyhand.runtime.calibration_settings import CalibrationSettings, UsedCalibration
from tests.board_kit import SETTINGS, SMALL, facing, renderer
from tests.settings_kit import shipped

cv2 = pytest.importorskip("cv2")


def reference(folder):
    picture = renderer().render(facing())
    return write_reference(folder, "side", {}, picture, reference_points([picture], SETTINGS.drift), 1)


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
        (lambda: np.full((240, 320, 3), 20, np.uint8), Placement.UNKNOWN, "in the picture, found 0; it is dark, covered"),
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
    verdict = check_camera("side", reference(tmp_path), lambda: seen(0.003), settings, hand_eye, (0.5, 0.0, 0.0))
    assert ", about 3." in verdict.text or ", about 2.9" in verdict.text
    assert "mm in the middle of the workspace" in verdict.text


def test_the_hand_eye_calibration_is_that_of_the_same_device(tmp_path):
    path = write_calibration(tmp_path, "hand_eye", "side", belongs_to={}, sets={}, values={}, residuals={})
    settings = replace(SETTINGS, used=(UsedCalibration(str(path), "hand_eye", "2026-01-01T00:00:00Z", ""),))
    assert hand_eye_of(settings, "side").device == "side"
    assert hand_eye_of(settings, "wrist") is None

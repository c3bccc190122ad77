import numpy as np
import pytest
import yaml
from PIL import Image

from steadyhand.calibration.reference import (
    ArmPose,
    arm_pose_of,
    compare,
    read_reference,
    reference_points,
    write_reference,
)
from steadyhand.runtime.calibration_file import CalibrationError
from tests.board_kit import SETTINGS, facing, renderer

pytest.importorskip("cv2")

WANTED = SETTINGS.drift


def written(folder):
    picture = renderer().render(facing())
    points = reference_points([picture], WANTED)
    return write_reference(folder, "side", {}, picture, points, 1), picture


def test_a_reference_agrees_with_its_own_picture_and_not_with_a_moved_one(tmp_path):
    path, picture = written(tmp_path)
    assert not compare(path, picture, WANTED).moved
    turn, shift = facing()
    assert compare(path, renderer().render((turn, shift + np.array([0.003, 0.0, 0.0]))), WANTED).moved


def test_an_edited_picture_and_a_missing_one_are_refused(tmp_path):
    path, picture = written(tmp_path)
    png = next(tmp_path.glob("*.png"))
    Image.fromarray(picture[::-1]).save(png)
    with pytest.raises(CalibrationError, match="found an edited one; take it again"):
        read_reference(path)
    png.unlink()
    with pytest.raises(CalibrationError, match="expected the reference's picture, found No such file"):
        read_reference(path)


def test_an_edited_file_is_refused(tmp_path):
    path, _ = written(tmp_path)
    content = yaml.safe_load(path.read_text())
    content["values"]["places_px"] = content["values"]["places_px"][:10]
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(CalibrationError, match="found an edited one"):
        read_reference(path)


def test_a_picture_of_another_size_is_refused(tmp_path):
    path, picture = written(tmp_path)
    with pytest.raises(CalibrationError, match="expected a picture of 320 x 240, found 160 x 120"):
        compare(path, picture[::2, ::2], WANTED)


def test_an_empty_picture_is_no_reference():
    with pytest.raises(CalibrationError, match="edge points that stay in place, found 0"):
        reference_points([np.full((240, 320, 3), 90, np.uint8)], WANTED)


def test_the_pose_of_the_arm_is_kept_for_a_camera_on_it(tmp_path):
    picture = renderer().render(facing())
    points = reference_points([picture], WANTED)
    arm = ArmPose(np.array([[0.5, 0.1, 0.3, 1.0, 0.0, 0.0, 0.0]]), np.full((1, 7), 0.25), np.array([0.02]))
    found, _ = read_reference(write_reference(tmp_path, "wrist", {}, picture, points, 1, arm))
    kept = arm_pose_of(found)
    for name in ("tool", "joints", "openings"):
        assert np.array_equal(getattr(kept, name), getattr(arm, name))
    beside, _ = read_reference(written(tmp_path)[0])
    assert arm_pose_of(beside) is None

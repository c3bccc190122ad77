import numpy as np
import pytest
from PIL import Image

from steadyhand.cli import main
from steadyhand.doctor import Level, calibration
from steadyhand.runtime.config import compose
from tests.board_kit import facing, renderer
from tests.picture_camera_kit import view

SIZE = ["calibration.pictures.width=320", "calibration.pictures.height=240"]


def test_without_a_reference_there_is_nothing_to_check():
    assert calibration.check_cameras_in_place(compose([])) is None


@pytest.mark.parametrize(("shift_m", "level"), [(0.0, Level.OK), (0.003, Level.BROKEN)])
def test_a_moved_camera_is_a_finding(tmp_path, shift_m, level):
    pytest.importorskip("cv2")
    turn, shift = facing()
    for name, moved in (("before", 0.0), ("after", shift_m)):
        (tmp_path / name).mkdir()
        picture = renderer().render((turn, shift - np.array([moved, 0.0, 0.0])))
        Image.fromarray(picture).save(tmp_path / name / "a.png")
    words = [*view(tmp_path / "before", "side"), *SIZE]
    assert main(["calibrate", "reference", "--camera", "side", "--output", str(tmp_path / "out"), *words]) == 0
    file = next((tmp_path / "out").glob("*.yaml"))
    config = compose([*view(tmp_path / "after", "side"), *SIZE, f"calibration.files=[{file}]"])
    finding = calibration.check_cameras_in_place(config)
    assert finding.level is level
    assert finding.found.startswith("side: ")


def test_a_camera_that_is_missing_is_a_finding(tmp_path):
    pytest.importorskip("cv2")
    (tmp_path / "before").mkdir()
    Image.fromarray(renderer().render(facing())).save(tmp_path / "before" / "a.png")
    words = [*view(tmp_path / "before", "side"), *SIZE]
    assert main(["calibrate", "reference", "--camera", "side", "--output", str(tmp_path / "out"), *words]) == 0
    file = next((tmp_path / "out").glob("*.yaml"))
    finding = calibration.check_cameras_in_place(compose([f"calibration.files=[{file}]"]))
    assert finding.level is Level.BROKEN
    assert "expected the camera 'side' of the reference, found none" in finding.found

import numpy as np
import pytest
from PIL import Image

from steadyhand.cli import main
from tests.board_kit import facing, renderer
from tests.picture_camera_kit import view

pytest.importorskip("cv2")


def pictures(folder, shift_m=0.0):
    """Write one picture of a fixed scene, seen by a camera that was moved to the side."""
    folder.mkdir(parents=True, exist_ok=True)
    turn, shift = facing()
    Image.fromarray(renderer().render((turn, shift - np.array([shift_m, 0.0, 0.0])))).save(folder / "a.png")
    return folder


def reference(tmp_path, *words):
    where = ["--camera", "side", "--output", str(tmp_path / "out"), *map(str, words)]
    assert main(["calibrate", "reference", *where]) == 0
    return next((tmp_path / "out").glob("*.yaml"))


@pytest.mark.parametrize(("shift_m", "status", "expected"), [(0.0, 0, "in place"), (0.003, 1, "MOVED")])
def test_a_moved_camera_is_told_from_one_in_place(tmp_path, shift_m, status, expected, capsys):
    file = reference(tmp_path, "--pictures", pictures(tmp_path / "before"))
    after = pictures(tmp_path / "after", shift_m)
    assert main(["calibrate", "check", "--reference", str(file), "--pictures", str(after)]) == status
    assert f"a.png: {expected}" in capsys.readouterr().out


@pytest.mark.parametrize(("shift_m", "status"), [(0.0, 0), (0.003, 1)])
def test_the_references_of_the_configuration_are_checked(tmp_path, shift_m, status, capsys):
    size = ["calibration.pictures.width=320", "calibration.pictures.height=240"]
    before = view(pictures(tmp_path / "before"), "side", "42")
    file = reference(tmp_path, *before, *size)
    after = view(pictures(tmp_path / "after", shift_m), "side", "42")
    assert main(["calibrate", "check", *after, *size, f"calibration.files=[{file}]"]) == status
    assert "side: " in capsys.readouterr().out


def test_no_reference_and_that_of_another_camera_are_refused(tmp_path, capsys):
    assert main(["calibrate", "check"]) == 2
    assert "expected --reference FILE, or a file of kind reference" in capsys.readouterr().err
    file = reference(tmp_path, "--pictures", pictures(tmp_path / "before"))
    words = ["--reference", str(file), "--camera", "wrist", "--pictures", str(tmp_path / "before")]
    assert main(["calibrate", "check", *words]) == 2
    assert "expected the reference of camera wrist, found that of side" in capsys.readouterr().err

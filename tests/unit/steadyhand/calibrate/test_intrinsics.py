import numpy as np
import pytest
from PIL import Image

from steadyhand.calibration.camera_model import read_camera_model
from steadyhand.cli import main
from steadyhand.runtime.calibration_file import read_calibration
from tests.board_kit import SMALL, facing, renderer
from tests.board_pictures_kit import cell  # noqa: F401
from tests.picture_camera_kit import view

pytest.importorskip("cv2")
pytestmark = pytest.mark.slow


def calibrated(folder, *words):
    done = main(["calibrate", "intrinsics", "--camera", "wrist", "--output", str(folder), *map(str, words)])
    return done, sorted(folder.glob("*.yaml")) if folder.exists() else []


def test_pictures_of_a_folder_give_the_camera(cell, tmp_path, capsys):  # noqa: F811
    done, files = calibrated(tmp_path, "--pictures", cell[0] / "pictures")
    assert done == 0
    found = read_camera_model(files[0])
    assert found.vector[:2] == pytest.approx(SMALL.vector[:2], rel=3e-3)
    assert read_calibration(files[0]).device == "wrist"
    assert files[0].with_suffix(".png").exists()
    out = capsys.readouterr().out
    assert "00.png: " in out
    assert "focal length" in out


def test_a_camera_gives_views_and_guidance_until_all_is_covered(cell, tmp_path, capsys):  # noqa: F811
    done, files = calibrated(tmp_path, "--seconds", "30", "--views", "12", *view(cell[0] / "pictures", serial="77"))
    assert done == 0
    found = read_calibration(files[0])
    assert found.device == "77"
    assert found.belongs_to == {"camera.views.wrist.device.serial": "77"}
    out = capsys.readouterr().out
    assert "view 1: " in out
    assert "tilt the board: " in out


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda folder: None, "expected pictures (.png"),
        (lambda folder: (folder / "a.png").write_bytes(b"no picture"), "cannot be read as one"),
        (lambda folder: Image.new("RGB", (320, 240)).save(folder / "a.png"), "found no markers"),
        (lambda folder: Image.fromarray(renderer().render(facing())).save(folder / "a.png"), "found 1 of 1"),
        (lambda folder: Image.fromarray(renderer().render(facing())[:, ::-1]).save(folder / "a.png"), "mirror image"),
    ],
)
def test_other_folders_are_refused_in_one_line_and_nothing_is_written(tmp_path, make, expected, capsys):
    (tmp_path / "pictures").mkdir()
    make(tmp_path / "pictures")
    done, files = calibrated(tmp_path / "out", "--pictures", tmp_path / "pictures")
    assert (done, files) == (2, [])
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1


def test_a_picture_of_another_camera_among_them_is_refused(cell, tmp_path, capsys):  # noqa: F811
    folder = tmp_path / "pictures"
    folder.mkdir()
    for path in (cell[0] / "pictures").iterdir():
        Image.open(path).save(folder / path.name)
    Image.fromarray(np.kron(renderer().render(facing()), np.ones((2, 2, 1), np.uint8))).save(folder / "zz.png")
    done, files = calibrated(tmp_path / "out", "--pictures", folder)
    assert (done, files) == (2, [])
    assert "of one camera and size, found 320 x 240, 640 x 480" in capsys.readouterr().err


def test_a_view_that_is_not_configured_is_refused(tmp_path, capsys):
    done, _ = calibrated(tmp_path)
    assert done == 2
    assert "expected a view 'wrist', found none; choose one, or give --pictures" in capsys.readouterr().err

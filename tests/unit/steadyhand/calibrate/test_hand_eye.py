import shutil

import numpy as np
import pytest
import yaml

from steadyhand.cli import main
from steadyhand.runtime.calibration_file import read_calibration, write_calibration
from tests.board_kit import SMALL
from tests.board_pictures_kit import cell  # noqa: F401

pytest.importorskip("cv2")
pytest.importorskip("scipy")
pytestmark = pytest.mark.slow


def intrinsics(folder, device="wrist", **changes):
    names = ("width", "height", "fx_px", "fy_px", "cx_px", "cy_px")
    values = {name: getattr(SMALL, name) for name in names} | {"distortion": list(SMALL.distortion)} | changes
    return write_calibration(folder, "intrinsics", device, belongs_to={}, sets={}, values=values, residuals={})


def calibrated(cell_, folder, *words, poses=None, model=None, pictures=None):
    given = ["--pictures", pictures or cell_[0] / "pictures", "--poses", poses or cell_[0] / "poses.csv"]
    given += ["--intrinsics", model or intrinsics(folder / "model"), "--output", folder / "out", "--mount", "tool"]
    done = main(["calibrate", "hand-eye", "--camera", "wrist", *map(str, (*given, *words))])
    return done, sorted((folder / "out").glob("*.yaml"))


def test_pictures_and_poses_give_the_cameras_pose(cell, tmp_path, capsys):  # noqa: F811
    done, files = calibrated(cell, tmp_path)
    assert done == 0
    found = read_calibration(files[0], "hand_eye")
    assert found.values["frame"] == "tool"
    assert 1e3 * np.linalg.norm(np.array(found.values["position_m"]) - cell[1][1]) < 0.5
    assert found.residuals["hold_out_mm"] < 0.5
    assert files[0].with_suffix(".png").exists()
    assert "used 14 of 14 poses" in capsys.readouterr().out


def test_a_wrong_pose_is_named(cell, tmp_path, capsys):  # noqa: F811
    lines = (cell[0] / "poses.csv").read_text().splitlines()
    fields = lines[5].split(",")
    lines[5] = ",".join([str(float(fields[0]) + 0.05), *fields[1:]])
    (tmp_path / "poses.csv").write_text("\n".join(lines))
    done, files = calibrated(cell, tmp_path, poses=tmp_path / "poses.csv")
    assert done == 0
    assert "04.png: left out: error of " in capsys.readouterr().out
    assert read_calibration(files[0]).residuals["removed_poses"] == 1


def few(cell_, folder):
    """Return a folder with the first three pictures, and the rows of poses for them."""
    (folder / "few").mkdir()
    for path in sorted((cell_[0] / "pictures").iterdir())[:3]:
        shutil.copy(path, folder / "few")
    (folder / "few.csv").write_text("\n".join((cell_[0] / "poses.csv").read_text().splitlines()[:4]))
    return {"pictures": folder / "few", "poses": folder / "few.csv"}


def edited(folder):
    path = intrinsics(folder)
    content = yaml.safe_load(path.read_text())
    content["values"]["fx_px"] = 1.0
    path.write_text(yaml.safe_dump(content))
    return path


def short(cell_, folder):
    (folder / "short.csv").write_text("\n".join((cell_[0] / "poses.csv").read_text().splitlines()[:-1]))
    return folder / "short.csv"


@pytest.mark.parametrize(
    ("given", "words", "expected"),
    [
        (few, [], "expected at least 8 poses, found 3; add poses turned by 30 deg"),
        (
            lambda c, f: {"model": intrinsics(f, width=640, height=480)},
            [],
            "found 320 x 240; give the intrinsics of this",
        ),
        (
            lambda c, f: {"model": intrinsics(f, "other")},
            [],
            "expected the intrinsics of camera wrist, found those of other",
        ),
        (lambda c, f: {"model": edited(f)}, [], "found an edited one; calibrate again"),
        (lambda c, f: {"poses": short(c, f)}, [], "expected one pose for each of 14 pictures, found 13"),
        (lambda c, f: {}, ["calibration.board.square_m=0.028"], "found that the robot's motion fits squares of 25.0"),
        (lambda c, f: {}, ["calibration.board.squares_x=7"], "found one of 9 squares along x"),
        (lambda c, f: {"poses": f / "gone.csv"}, [], "No such file"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(cell, tmp_path, given, words, expected, capsys):  # noqa: F811
    done, files = calibrated(cell, tmp_path, *words, **given(cell, tmp_path))
    assert (done, files) == (2, [])
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1


def test_pictures_without_poses_are_refused(cell, tmp_path, capsys):  # noqa: F811
    words = ["--camera", "wrist", "--mount", "tool", "--intrinsics", str(intrinsics(tmp_path))]
    assert main(["calibrate", "hand-eye", *words, "--pictures", str(cell[0] / "pictures")]) == 2
    assert "expected --pictures DIR and --poses FILE" in capsys.readouterr().err

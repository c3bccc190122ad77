import io

import numpy as np
import pytest
from PIL import Image

from steadyhand.cli import main
from steadyhand.robot_envs.camera import Crop
from steadyhand.robot_envs.make import make_env
from steadyhand.runtime.calibration_file import write_calibration
from steadyhand.runtime.config import compose
from tests.cell_kit import nothing_in, only_calibration, only_file

CELL = ["device=none", "task=pick_place", "camera=wrist_side", "~camera.views.wrist"]
SIDE = ["camera.views.side.height=64", "camera.views.side.width=64"]
INTRINSICS = {"width": 640, "height": 480, "fx_px": 600.0, "fy_px": 600.0, "cx_px": 319.5, "cy_px": 239.5}
ABOVE = {"frame": "base", "position_m": [0.5, 0.0, 1.0], "quat_xyzw": [1.0, 0.0, 0.0, 0.0]}  # it looks down


def calibrate(tmp_path, *words: str, cell=(*CELL, *SIDE)) -> int:
    return main(["calibrate", "crop", "--out", str(tmp_path / "out"), *words, *cell])


def frame(*words: str) -> np.ndarray:
    env = make_env(compose([*CELL, *words]), 0)
    picture = env.reset(seed=0)[0]["side"]
    env.close()
    return picture


def measured_crop(tmp_path) -> Crop:
    return Crop(**only_calibration(tmp_path / "out").sets["camera.views.side.crop"])


def test_the_frames_show_where_the_fingers_work(tmp_path):
    assert calibrate(tmp_path, "--view", "side", "--fingers") == 0
    crop, found = measured_crop(tmp_path), only_calibration(tmp_path / "out")
    assert found.values["how"] == "fingers"
    assert crop.width == pytest.approx(crop.height, rel=0.02)
    assert 0.1 < crop.width < 0.8
    # The setting is used: the frame is that part of a larger picture of the whole.
    used = frame(*SIDE, f"calibration.files=[{only_file(tmp_path / 'out')}]").astype(float)
    whole = frame("camera.views.side.height=512", "camera.views.side.width=512")
    part = Image.fromarray(crop.cut(whole)).resize((64, 64), Image.Resampling.BILINEAR)
    assert np.abs(used - np.asarray(part)).mean() < 6.0
    assert np.abs(used - frame(*SIDE)).mean() > 12.0  # the twin: not the whole


def test_without_a_gripper_it_is_where_the_whole_tool_moves(tmp_path):
    for number, words in enumerate(([], ["--fingers"])):
        assert calibrate(tmp_path / str(number), "--view", "side", *words) == 0
    moved, fingers = (only_calibration(tmp_path / name / "out") for name in "01")
    assert moved.values["how"] == "moved"
    # The camera sees the hand and links of the arm move too.
    assert moved.residuals["kept_share"] > fingers.residuals["kept_share"]


def test_the_picture_beside_the_file_shows_the_rectangle(tmp_path):
    assert calibrate(tmp_path, "--view", "side", "--rectangle", "0.25", "0.5", "0.5", "0.25") == 0
    found = only_calibration(tmp_path / "out")
    shown = np.asarray(Image.open(io.BytesIO((tmp_path / "out" / found.picture.file).read_bytes())))
    assert (shown == (255, 64, 0)).all(axis=2).sum() > 200
    assert measured_crop(tmp_path) == Crop(0.25, 0.5, 0.5, 0.25)


def camera_files(tmp_path, hand_eye=ABOVE, intrinsics=INTRINSICS) -> list[str]:
    words = []
    for kind, values in (("intrinsics", intrinsics), ("hand_eye", hand_eye)):
        path = write_calibration(tmp_path, kind, "cam", belongs_to={}, sets={}, values=values, residuals={})
        words += [f"--{kind.replace('_', '-')}", str(path)]
    return words


def test_a_region_of_the_base_is_projected_into_the_picture(tmp_path):
    region = ["--region", "0.45", "-0.05", "0.0", "0.55", "0.05", "0.1"]
    assert calibrate(tmp_path, "--view", "side", *region, *camera_files(tmp_path)) == 0
    crop = measured_crop(tmp_path)
    # Its near face is 0.9 m away: 0.05 / 0.9 * 600 = 33.3 pixels to each side, and the margin.
    half = 33.33 * 1.3
    expected = [(319.5 - half) / 640, (239.5 - half) / 480, 2 * half / 640, 2 * half / 480]
    assert [crop.left, crop.top, crop.width, crop.height] == pytest.approx(expected, abs=0.002)


def test_a_camera_on_the_tool_sees_the_region_from_where_the_tool_is(tmp_path):
    tool = {"frame": "tool", "position_m": [0.0, 0.0, -0.3], "quat_xyzw": [0.0, 0.0, 0.0, 1.0]}
    region = ["--region", "0.47", "-0.03", "0.0", "0.53", "0.03", "0.02"]
    assert calibrate(tmp_path, "--view", "side", *region, *camera_files(tmp_path, tool)) == 0
    crop = measured_crop(tmp_path)
    assert crop.left + 0.5 * crop.width == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--view", "front"], "--view front: expected one of side; give camera="),
        (["--view", "side", "--rectangle", "0.5", "0", "0.6", "1"], "--rectangle: expected a part of the picture"),
        (["--view", "side", "--region", "0", "0", "0", "1", "1", "1"], "expected --intrinsics and --hand-eye too"),
        (["--view", "side", "--region", "1", "0", "0", "0", "1", "1"], "--region: expected low < high"),
        (["--view", "side", "--picture", "0", "10"], "--picture: expected a size of at least 1 pixel"),
        (["--view", "side", "calibrate.region.min_change=300"], "does the camera see the tool"),
        (["--view", "side", "calibrate.region.side_m=[0.1]"], "calibrate.region: side_m: expected a list of 3"),
    ],
)
def test_bad_input_is_refused_in_one_line_and_leaves_nothing(tmp_path, capsys, words, expected):
    assert calibrate(tmp_path, *words) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1
    assert nothing_in(tmp_path / "out")


@pytest.mark.parametrize(
    ("hand_eye", "intrinsics", "expected"),
    [
        (ABOVE | {"position_m": [0.5, 0.0, -1.0]}, INTRINSICS, "points in front of the camera"),
        (ABOVE | {"frame": "board"}, INTRINSICS, "expected frame, position_m and quat_xyzw"),
        (ABOVE, {"width": 640}, "expected values.height, found none"),
        (ABOVE | {"position_m": [2.5, 0.0, 1.0]}, INTRINSICS, "a region within the picture of 640 x 480 pixels"),
    ],
)
def test_camera_files_that_do_not_fit_are_refused(tmp_path, capsys, hand_eye, intrinsics, expected):
    region = ["--region", "0.45", "-0.05", "0.0", "0.55", "0.05", "0.1"]
    assert calibrate(tmp_path, "--view", "side", *region, *camera_files(tmp_path, hand_eye, intrinsics)) == 2
    assert expected in capsys.readouterr().err
    assert nothing_in(tmp_path / "out")

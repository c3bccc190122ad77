import numpy as np
import pytest

from steadyhand.cli import main
from steadyhand.robot_envs.frames import pose_relative, rotvec_from_quat
from steadyhand.robot_envs.make import RobotTaskConfig, make_hardware
from steadyhand.robot_envs.mock.optics import camera_in_base, intrinsics
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import read_calibration
from steadyhand.runtime.config import compose

BOARD = ["squares_x=5", "squares_y=7", "square_m=0.02", "marker_m=0.014", "dictionary=4X4_50"]
CELL = [
    *("task=calibration_cell", "camera=calibration", "device=none"),
    *(f"calibration.board.{word}" for word in BOARD),
    *("gap.seed=3", "gap.hidden.camera_m=0.005", "gap.hidden.camera_rad=0.02"),
]


def only(folder, kind):
    (path,) = folder.glob(f"{kind}-*.yaml")
    return path


def truth():
    """Return the true focal length [px], and the true camera in the tool frame (7,), of the cell's hidden mount."""
    config = compose(CELL)
    hardware = make_hardware({**config, "camera": {"views": {}}}, build(RobotTaskConfig, config["task"], "task").scene)
    world = hardware.world
    camera = pose_relative(world.tcp_pose(), camera_in_base(world.data, "wrist"))
    nominal = compose([word for word in CELL if "gap" not in word])
    assert nominal["gap"]["hidden"]["camera_m"] == 0.0
    return float(intrinsics(world.model, "wrist", 480, 640)[0, 0]), camera


@pytest.mark.slow
def test_a_hidden_mount_is_found_from_nothing_but_motion_and_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["calibrate", "collect", "--camera", "wrist", "--output", "photos", *CELL]) == 0
    words = ["--camera", "wrist", "--pictures", "photos", *CELL]
    assert main(["calibrate", "intrinsics", *words]) == 0
    lens = only(tmp_path / "calibrations", "intrinsics")
    more = ["--mount", "tool", "--poses", "photos/poses.csv", "--intrinsics", str(lens), "--refine-intrinsics"]
    assert main(["calibrate", "hand-eye", *more, *words]) == 0
    focal_px, camera = truth()
    found = read_calibration(only(tmp_path / "calibrations", "hand_eye")).values
    assert read_calibration(lens).values["fx_px"] == pytest.approx(focal_px, rel=0.02)  # the arm tilts little
    error = pose_relative(camera, np.array([*found["position_m"], *found["quat_xyzw"]]))
    assert np.linalg.norm(error[:3]) < 1.5e-3
    assert np.degrees(np.linalg.norm(rotvec_from_quat(error[3:]))) < 0.3


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--camera", "above"], "camera.views.above: expected one of wrist, side"),
        (["--camera", "wrist", "calibrate.poses.tilts_rad=[0.1]"], "tilts_rad: expected at least two angles"),
        (["--camera", "wrist", "calibrate.board_distance_m=-1"], "board_distance_m: expected at least 0"),
        (["--camera", "wrist", "calibrate.offsets_m=[0.01]"], "offsets_m: expected at least two shifts"),
    ],
)
def test_what_cannot_be_collected_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, capsys, words, expected):
    monkeypatch.chdir(tmp_path)
    assert main(["calibrate", "collect", "--output", "photos", *CELL, *words]) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_folder_that_exists_is_not_written_into(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    assert main(["calibrate", "collect", "--output", "photos", "--camera", "wrist", *CELL]) == 2
    assert "expected a new folder" in capsys.readouterr().err
    assert not list((tmp_path / "photos").iterdir())

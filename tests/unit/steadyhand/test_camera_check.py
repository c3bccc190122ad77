"""A moved camera refuses every run that drives the arm, before anything moves."""

import numpy as np
import pytest
from PIL import Image

from steadyhand.calibrate.picture_source import open_camera
from steadyhand.calibration.camera_check import Placement
from steadyhand.cli import main
from steadyhand.doctor import Level
from steadyhand.doctor import calibration as doctor
from steadyhand.pipeline.camera_check import CameraCheck
from steadyhand.pipeline.environment import make_driven_env
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.mock.camera import RenderedCamera
from steadyhand.robot_envs.mock.robot import MockRobot
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.calibration_settings import CalibrationSettings
from steadyhand.runtime.config import compose
from tests.settings_kit import shipped

pytest.importorskip("cv2")

CELL = ("task=peg_insert", "camera=wrist_side", "device=scripted")
ON_ARM = ("task=reach", "camera=wrist_side", "device=scripted")
PICTURES = shipped(CalibrationSettings, "calibration").pictures


@pytest.fixture(scope="module")
def picture():
    """Return the whole picture of the mock's side camera (h, w, 3)."""
    with open_camera(compose(CELL), "side", PICTURES) as camera:
        return camera.latest().pixels.copy()


def listed(folder, picture):
    """Write a reference with that picture, and return the overrides of a cell that lists it."""
    (folder / "photos").mkdir(parents=True)
    Image.fromarray(picture).save(folder / "photos" / "a.png")
    where = ["--camera", "side", "--pictures", str(folder / "photos"), "--output", str(folder / "out")]
    assert main(["calibrate", "reference", *where, *CELL]) == 0
    (file,) = (folder / "out").glob("*.yaml")
    return [*CELL, f"calibration.files=[{file}]"]


def moved(picture):
    return np.roll(picture, 4, axis=1)


def test_a_run_goes_on_with_a_camera_in_place(tmp_path, picture):
    env = make_driven_env(compose(listed(tmp_path, picture)), 0)
    assert isinstance(env, RobotEnv)
    env.reset(seed=0)
    env.park()
    assert env.preflight() == ""
    env.close()


def test_a_moved_camera_refuses_the_run_and_nothing_has_moved(tmp_path, picture, monkeypatch):
    sent, closed = [], []
    monkeypatch.setattr(MockRobot, "command", lambda self, command: sent.append(command))
    monkeypatch.setattr(MockRobot, "reset", lambda self, *given: sent.append(given))
    close = MockRobot.close
    monkeypatch.setattr(MockRobot, "close", lambda self: (closed.append(True), close(self)))
    config = compose(listed(tmp_path, moved(picture)))
    with pytest.raises(CalibrationError, match=r"camera side: MOVED: .* by 3\.\d px .*check\.moved=warn goes on"):
        make_driven_env(config, 0)
    assert sent == []
    assert closed == [True]


@pytest.mark.parametrize("setting", ["warn", "skip"])
def test_a_named_setting_goes_on_with_a_moved_camera(tmp_path, picture, setting, caplog):
    words = [*listed(tmp_path, moved(picture)), f"calibration.check.moved={setting}"]
    make_driven_env(compose(words), 0).close()
    assert ("MOVED" in caplog.text) == (setting == "warn")


def test_a_camera_that_is_moved_in_a_break_keeps_the_arm_parked(tmp_path, picture):
    words = listed(tmp_path, picture)
    env = make_driven_env(compose(words), 0)
    env.reset(seed=0)
    env.park()
    env.in_place = CameraCheck(compose(listed(tmp_path / "other", moved(picture)))).objection
    assert env.preflight().startswith("camera side: MOVED")
    assert env.stop_reason is None
    env.close()


def test_a_dark_picture_is_said_and_no_alarm(tmp_path, picture, monkeypatch, caplog):
    words = listed(tmp_path, picture)
    monkeypatch.setattr("steadyhand.robot_envs.mock.camera.RenderedCamera._render", lambda *_: np.zeros_like(picture))
    check = CameraCheck(compose(words))
    assert [verdict.placement for verdict in check.verdicts()] == [Placement.UNKNOWN]
    assert check.objection() == ""
    assert "camera side: not compared: expected at least 60 edge points in the picture, found 0" in caplog.text


def test_record_is_refused_in_one_line_and_leaves_no_run(tmp_path, picture, capsys):
    words = listed(tmp_path, moved(picture))
    assert main(["record", *words, f"run_root={tmp_path / 'runs'}", "run_name=first", "demo.demos=1"]) == 2
    error = capsys.readouterr().err
    assert "camera side: MOVED: its picture has shifted by 3." in error
    assert error.strip().count("\n") == 0
    assert not list((tmp_path / "runs").glob("*"))


def test_a_value_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"calibration\.check\.moved"):
        CameraCheck(compose(["calibration.check.moved=perhaps"]))


@pytest.fixture(scope="module")
def at_start(tmp_path_factory):
    """Return the file of a reference of the wrist camera at the start of the task."""
    folder = tmp_path_factory.mktemp("wrist")
    where = ["--camera", "wrist", "--mount", "tool", "--at-start", "--output", str(folder)]
    assert main(["calibrate", "reference", *where, *ON_ARM]) == 0
    return next(folder.glob("*.yaml"))


def turned_camera(monkeypatch, shift_px=12):
    """Let the mock's cameras look elsewhere."""
    render = RenderedCamera._render
    monkeypatch.setattr(RenderedCamera, "_render", lambda self, *given: np.roll(render(self, *given), shift_px, axis=1))


def test_a_camera_on_the_arm_is_compared_at_the_start_of_the_first_episode(at_start, caplog):
    env = make_driven_env(compose([*ON_ARM, f"calibration.files=[{at_start}]"]), 0)
    assert "camera wrist: not compared: the arm is " in caplog.text
    env.reset(seed=0)
    assert env.stop_reason is None
    taken = []
    env.in_place_at_start.__self__._take = lambda *given: taken.append(given)
    env.reset(seed=1)
    env.close()
    assert taken == [], "it was found in place once"


def test_a_moved_camera_on_the_arm_stops_before_the_first_step_of_every_episode(at_start, monkeypatch):
    turned_camera(monkeypatch)
    env = make_driven_env(compose([*ON_ARM, f"calibration.files=[{at_start}]"]), 0)
    for seed in (0, 1):
        env.reset(seed=seed)
        assert env.gate.stop_text.startswith("camera_moved (camera wrist: MOVED: ")
        assert "calibration.check.moved=warn goes on" in env.gate.stop_text
        env.resume()
    env.close()


def test_doctor_does_not_know_the_pose_of_the_arm(at_start):
    finding = doctor.check_cameras_in_place(compose([*ON_ARM, f"calibration.files=[{at_start}]"]))
    assert finding.level is Level.NOTE
    assert "it is on the arm, whose pose is not known here; steadyhand calibrate check --go" in finding.found


@pytest.mark.parametrize(("go", "shift_px", "status", "text"), [
    (False, 0, 1, "wrist: not compared: the arm is "),
    (True, 0, 0, "wrist: in place: "),
    (True, 12, 1, "wrist: MOVED: "),
])  # fmt: skip
def test_check_moves_the_arm_to_the_pose_of_the_reference(at_start, monkeypatch, capsys, go, shift_px, status, text):
    turned_camera(monkeypatch, shift_px)
    words = ["--reference", str(at_start), *(["--go"] if go else [])]
    assert main(["calibrate", "check", *words, "task=reach", "camera=wrist_side", "device=none"]) == status
    assert text in capsys.readouterr().out


@pytest.mark.parametrize(("words", "line"), [
    (["--mount", "tool", "--pictures", "photos"], "--pictures: expected a camera beside the robot"),
    (["--at-start"], "--at-start: expected --mount tool beside it"),
])  # fmt: skip
def test_a_reference_on_the_arm_needs_the_arm(tmp_path, capsys, words, line):
    assert main(["calibrate", "reference", "--camera", "wrist", "--output", str(tmp_path / "out"), *words]) == 2
    assert line in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

import os

import pytest

from steadyhand.robot_envs.camera import CameraError
from steadyhand.robot_envs.cameras import plugged, realsense_library
from steadyhand.robot_envs.cameras.plugged import Plugged, plugged_cameras


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with two device files of one webcam, of which one has a name by id."""
    for name in ("DEV", "NAMES", "BY_ID"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(plugged, name, tmp_path / name)
    monkeypatch.setattr(realsense_library, "plugged_devices", list)
    return tmp_path


def add_video(machine, number, by_id=None):
    (machine / "DEV" / f"video{number}").touch()
    (machine / "NAMES" / f"video{number}").mkdir()
    (machine / "NAMES" / f"video{number}" / "name").write_text("Webcam\n")
    if by_id:
        os.symlink(machine / "DEV" / f"video{number}", machine / "BY_ID" / by_id)


def test_nothing(machine):
    assert plugged_cameras() == ([], "")


def test_video_devices_are_listed_by_id_where_they_have_one(machine):
    add_video(machine, 10)
    add_video(machine, 2, "usb-Webcam-index0")
    found, reason = plugged_cameras()
    assert reason == ""
    assert [camera.address for camera in found] == ["usb-Webcam-index0", str(machine / "DEV" / "video10")]
    assert found[0].text == f"Webcam, {machine / 'DEV' / 'video2'}"


def test_without_the_library_the_others_are_listed(machine, monkeypatch):
    def missing():
        raise CameraError("expected the package pyrealsense2, found none")

    monkeypatch.setattr(realsense_library, "plugged_devices", missing)
    add_video(machine, 0)
    found, reason = plugged_cameras()
    assert len(found) == 1
    assert reason == "expected the package pyrealsense2, found none"


def test_a_realsense_has_its_serial_model_connection_and_modes(machine, monkeypatch):
    from tests.realsense_kit import SoftwareRealSense

    camera = SoftwareRealSense("1001", "2.1", sizes=((64, 48), (128, 96)))
    monkeypatch.setattr(realsense_library, "plugged_devices", lambda: [camera.device])
    modes = ("colour 128x96 at 30", "colour 64x48 at 30", "depth 64x48 at 30")
    assert plugged_cameras() == ([Plugged("realsense", "1001", "RealSense D405, USB 2.1", modes)], "")


def test_the_real_library_finds_no_realsense_here():
    pytest.importorskip("pyrealsense2")
    assert all(camera.kind == "video" for camera in plugged_cameras()[0])

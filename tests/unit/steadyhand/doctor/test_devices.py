import os

import pytest

from steadyhand.doctor import Level, devices
from tests.spacenav_kit import Cap, Daemon, needs_spacenavd
from tests.unit.steadyhand.doctor.kit import config


def test_a_stand_in_needs_nothing():
    assert devices.check_device(config()).level is Level.OK
    assert devices.check_gamepad(config()) is None
    assert devices.check_udev_rules(config()).level is Level.OK


def test_the_page_needs_its_package_and_nothing_to_plug_in(monkeypatch):
    chosen = config("device=web")
    assert devices.check_device(chosen).level is Level.OK
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: None)
    finding = devices.check_device(chosen)
    assert (finding.level, finding.mend) == (Level.BROKEN, "pip install '.[web]'")


@needs_spacenavd
def test_a_spacemouse_that_answers(tmp_path):
    daemon, cap = Daemon(tmp_path), Cap()
    daemon.start(cap)
    chosen = config("device=spacemouse", f"device.socket={daemon.socket}")
    finding = devices.check_device(chosen)
    assert (finding.level, finding.found) == (Level.OK, "spacemouse: there, at rest")
    assert devices.check_spacenavd(chosen).level is Level.OK
    daemon.kill()
    cap.unplug()
    assert devices.check_device(chosen).level is Level.BROKEN
    assert devices.check_spacenavd(chosen).level is Level.BROKEN  # the socket stays behind, nobody listens


def test_the_daemon_is_only_noted_for_other_devices(monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "SPACENAV_SOCKET", str(tmp_path / "spnav.sock"))
    monkeypatch.setattr(devices.shutil, "which", lambda name: None)
    finding = devices.check_spacenavd(config("device=keyboard"))
    assert finding.level is Level.NOTE
    assert "apt-get install spacenavd" in finding.mend


def test_a_gamepad_is_there_or_not(tmp_path):
    chosen = config("device=gamepad", f"device.path={tmp_path}/js*")
    assert devices.check_gamepad(chosen).level is Level.BROKEN
    os.mkfifo(tmp_path / "js0")
    assert devices.check_gamepad(chosen).level is Level.OK


def test_a_gamepad_that_may_not_be_read_tells_the_group(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "js0")
    monkeypatch.setattr(devices.os, "access", lambda path, mode: False)
    finding = devices.check_gamepad(config("device=gamepad", f"device.path={tmp_path}/js*"))
    assert finding.level is Level.BROKEN
    assert "usermod -aG input" in finding.mend


@pytest.mark.parametrize(
    ("override", "mend"),
    [("keyboard", "in a terminal"), ("gamepad", "plug the gamepad in"), ("spacemouse", "spacenavd")],
)
def test_a_device_that_is_not_there_says_what_to_do(override, mend):
    nowhere = {"keyboard": "terminal", "gamepad": "path", "spacemouse": "socket"}[override]
    finding = devices.check_device(config(f"device={override}", f"device.{nowhere}=/nowhere/device"))
    assert finding.level is Level.BROKEN
    assert mend in finding.mend


def test_a_spacemouse_over_hid_is_looked_for_on_usb(monkeypatch):
    monkeypatch.setattr(devices, "_spacemice", list)
    assert devices.check_usb(config("device=keyboard")) is None
    assert devices.check_usb(config("device=spacemouse_hid")).level is Level.NOTE


def test_realsense_cameras_need_their_rules(monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "RULES", (str(tmp_path),))
    chosen = config("camera=realsense_depth", "camera.views.wrist.device.serial=1001")
    assert devices.check_udev_rules(chosen).level is Level.BROKEN
    (tmp_path / "99-realsense-libusb.rules").touch()
    assert devices.check_udev_rules(chosen).level is Level.OK


def test_a_recording_of_a_realsense_needs_no_rules(monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "RULES", (str(tmp_path),))
    words = ["camera.views.wrist.device.serial=null", "camera.views.wrist.device.recording=wrist.db3"]
    assert devices.check_udev_rules(config("camera=realsense_depth", *words)).level is Level.OK


def test_both_devices_of_a_pair_are_checked(tmp_path):
    nowhere = ("device.left.socket=/nowhere/spnav.sock", f"device.right.path={tmp_path}/js*")
    pair = config("task=handover", "device=pair", *nowhere)
    assert devices.check_gamepad(pair).level is Level.BROKEN
    assert devices.check_spacenavd(pair).level is Level.BROKEN
    finding = devices.check_device(pair)
    assert finding.level is Level.BROKEN
    assert finding.found.startswith("left arm: ")

"""UVC views. This machine has no camera: OpenCV reads a real video file where it would read the device file."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from steadyhand.contracts.camera import CameraContract
from steadyhand.robot_envs.camera import CameraError
from steadyhand.robot_envs.cameras import uvc
from steadyhand.robot_envs.cameras.uvc import Uvc, UvcDevice, UvcView, device_path
from tests.camera_kit import QUICK, WIDTH, blocks
from tests.transport_kit import wait_until
from tests.uvc_kit import UvcBench


@pytest.fixture
def bench(tmp_path):
    return UvcBench(tmp_path)


class TestUvcContract(CameraContract):
    @pytest.fixture(autouse=True)
    def around(self, bench):
        self.bench = bench

    def make_camera(self):
        return self.bench.camera()

    def wait(self, camera):
        counter = camera.latest().counter
        wait_until(lambda: camera.latest().counter > counter)


def test_mode_and_exposure_are_set_before_the_first_picture(bench):
    camera = bench.camera(exposure=120.0)
    camera.connect()
    camera.close()
    assert bench.opened == [str(bench.address)]
    assert bench.asked[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter_fourcc(*"MJPG")
    assert (bench.asked[cv2.CAP_PROP_FRAME_WIDTH], bench.asked[cv2.CAP_PROP_FPS]) == (WIDTH, 30)
    assert (bench.asked[cv2.CAP_PROP_AUTO_EXPOSURE], bench.asked[cv2.CAP_PROP_EXPOSURE]) == (1, 120.0)
    assert bench.captures[0].released


def test_frames_are_rgb(bench):
    camera = bench.camera()
    camera.connect()
    pixels = camera.latest().pixels.astype(int)
    camera.close()
    assert min(np.abs(pixels - blocks(number)).mean() for number in range(5)) < 12
    assert min(np.abs(pixels - blocks(number)[..., ::-1]).mean() for number in range(5)) > 20


def test_a_camera_that_is_unplugged_is_found_again(bench):
    camera = bench.camera()
    camera.connect()
    bench.unplugged = True
    wait_until(lambda: "found the camera lost" in camera.health.last_error)
    last = camera.latest()
    bench.unplugged = False
    wait_until(lambda: camera.latest().counter > last.counter)
    wait_until(lambda: camera.health.reconnects == 1)
    assert bench.captures[0].released
    camera.close()


def refused(camera):
    with pytest.raises(CameraError) as raised:
        camera.connect()
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_camera_that_is_not_there(bench):
    bench.address.unlink()
    line = refused(bench.camera())
    assert f"device.address: expected a camera at {bench.address}, found " in line


def test_a_camera_that_may_not_be_read(bench, monkeypatch):
    monkeypatch.setattr(uvc.os, "access", lambda path, mode: False)
    assert "found no permission; sudo usermod -aG video $USER" in refused(bench.camera())


def test_a_camera_in_use_does_not_open(bench):
    bench.film.write_bytes(b"")
    assert f"end the program that uses it (fuser {bench.address})" in refused(bench.camera())
    assert bench.captures[0].released


def test_a_mode_that_the_camera_has_not(bench):
    line = refused(bench.camera(width=1920, height=1080))
    assert "expected a mode of this camera, found 1920x1080; it offers 64x48 instead" in line


def test_an_exposure_that_the_driver_refuses(bench):
    bench.refuses = cv2.CAP_PROP_EXPOSURE
    assert "device.exposure: expected null, as this camera's driver refuses 5" in refused(bench.camera(exposure=5.0))


def test_the_real_opener_refuses_what_is_no_video_device(tmp_path):
    """Without an injected opener: OpenCV's Video4Linux backend on a plain file."""
    (tmp_path / "video0").touch()
    device = UvcDevice(
        timing=QUICK, address=str(tmp_path / "video0"), width=64, height=48, rate_hz=30, fourcc="MJPG", exposure=None
    )
    assert "found one that does not open" in refused(Uvc(UvcView(height=8, width=8, device=device), "wrist"))


def test_addresses(tmp_path, monkeypatch):
    monkeypatch.setattr(uvc, "BY_ID", tmp_path)
    (tmp_path / "video3").touch()
    os.symlink(tmp_path / "video3", tmp_path / "usb-Camera-index0")
    assert device_path("usb-Camera-index0") == tmp_path / "video3"
    with pytest.raises(CameraError, match="expected a camera at /dev/video97, found"):
        device_path(97)
    assert not Path("/dev/video97").exists()


@pytest.mark.parametrize("wrong", [{"fourcc": "MJ"}, {"width": 0}, {"exposure": 0.0}, {"address": ""}])
def test_wrong_settings_are_refused(bench, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        bench.camera(**wrong)

"""RealSense views against the real library: software devices and recordings (`tests/realsense_kit.py`)."""

from dataclasses import asdict

import numpy as np
import pytest

from steadyhand.contracts.camera import CameraContract
from steadyhand.robot_envs.camera import CameraError, Crop
from steadyhand.robot_envs.cameras import realsense_library
from steadyhand.robot_envs.cameras.depth import depth_from_bytes, depth_to_range
from steadyhand.robot_envs.cameras.realsense import RealSense
from steadyhand.robot_envs.cameras.realsense_source import StreamSettings
from steadyhand.robot_envs.make import make_env
from steadyhand.runtime.config import compose
from tests.camera_kit import HEIGHT, RATE_HZ, WIDTH, noise
from tests.realsense_kit import CX, CY, FX, UNIT_M, SoftwareRealSense, Stream, depth_noise, realsense_view, record, rs
from tests.transport_kit import wait_until

MODE = StreamSettings(WIDTH, HEIGHT, RATE_HZ)
BOTH = {"depth": MODE, "colour": MODE}


class Bench:
    """The USB bus of the tests: software devices that are plugged in, each with its stream."""

    def __init__(self):
        self.plugged, self.streams, self.cameras = [], [], []

    def plug(self, camera=None, **stream):
        camera = camera or SoftwareRealSense()
        self.plugged.append(camera)
        self.streams.append(Stream(camera, **stream))
        return camera

    def unplug(self):
        self.streams.pop().end()
        self.plugged.pop()

    def connected(self, name="wrist", **settings):
        camera = RealSense(realsense_view(**settings), name)
        self.cameras.append(camera)
        camera.connect()
        return camera

    def close(self):
        for camera in self.cameras:
            camera.close()
        for stream in self.streams:
            stream.end()


@pytest.fixture
def bench(monkeypatch):
    bench = Bench()
    monkeypatch.setattr(realsense_library, "plugged_devices", lambda: [camera.device for camera in bench.plugged])
    yield bench
    bench.close()


class TestRealSenseContract(CameraContract):
    @pytest.fixture(autouse=True)
    def around(self, bench):
        bench.plug()

    def make_camera(self):
        return RealSense(realsense_view(), "wrist")

    def wait(self, camera):
        counter = camera.latest().counter
        wait_until(lambda: camera.latest().counter > counter)


@pytest.mark.parametrize("loop", [False, True])
def test_a_recording_is_played_back_bit_for_bit(bench, tmp_path, loop):
    record(tmp_path / "wrist.db3", 6)
    camera = bench.connected(serial=None, recording=str(tmp_path / "wrist.db3"), loop=loop)
    shown = {}

    def is_enough():
        frame = camera.latest()
        shown[frame.counter] = frame.pixels
        return frame.counter > 7 if loop else "has ended" in camera.health.last_error

    wait_until(is_enough)
    recorded = [noise(number).tobytes() for number in range(1, 7)]
    assert {pixels.tobytes() for pixels in shown.values()} <= set(recorded)
    assert len(shown) > 1
    assert loop or camera.latest().pixels.tobytes() == recorded[-1]


def test_not_in_real_time_every_picture_of_a_recording_is_delivered_once(bench, tmp_path):
    record(tmp_path / "wrist.db3", 20)
    taken = []
    camera = RealSense(realsense_view(serial=None, recording=str(tmp_path / "wrist.db3"), real_time=False), "wrist")
    render = camera.render
    camera.render = lambda part, source: taken.append(render(part, source)) or taken[-1]
    bench.cameras.append(camera)
    camera.connect()
    wait_until(lambda: "has ended" in camera.health.last_error)
    assert len(taken) == 20
    assert all((pixels == noise(number)).all() for number, pixels in enumerate(taken, 1))
    assert (camera.latest().pixels == noise(20)).all()


def test_the_observation_has_the_pictures_of_a_recording_bit_for_bit(tmp_path):
    record(tmp_path / "wrist.db3", 20)
    no_serials = [f"camera.views.{view}.device.serial=null" for view in ("wrist", "side")]
    config = compose(
        ["task=reach", "device=none", "robot.world.pace=realtime", "camera=realsense_wrist_side", *no_serials]
    )
    view = config["camera"]["views"]["wrist"]
    device = view["device"] | {"recording": str(tmp_path / "wrist.db3"), "colour": asdict(MODE)}
    shown = view | {"height": HEIGHT, "width": WIDTH, "crop": asdict(Crop()), "device": device}
    config["camera"] = {"views": {"wrist": shown}}
    env = make_env(config, 0)
    try:
        observation, _ = env.reset(seed=0)
        seen = [observation["wrist"]]
        for _ in range(5):
            seen.append(env.step(np.zeros(6, np.float32))[0]["wrist"])
    finally:
        env.close()
    recorded = {noise(number).tobytes() for number in range(1, 21)}
    assert {pixels.tobytes() for pixels in seen} <= recorded
    assert len({pixels.tobytes() for pixels in seen}) > 1


def test_depth_of_a_recording_is_lossless_in_bytes_beside_its_colour(bench, tmp_path):
    record(tmp_path / "wrist.db3", 10, depth=True)
    device = {"serial": None, "recording": str(tmp_path / "wrist.db3"), "loop": True, **BOTH}
    colour = bench.connected("wrist", **device)
    depth = bench.connected("wrist_depth", shows="depth_bytes", **device)
    found = depth_from_bytes(depth.latest().pixels)
    assert any((found == depth_noise(number)).all() for number in range(1, 11))
    assert any((colour.latest().pixels == noise(number)).all() for number in range(1, 11))
    assert colour._capture is depth._capture


def test_depth_of_a_range_is_grey(bench):
    bench.plug(depth=True)
    camera = bench.connected(shows="depth_range", near_m=0.5, far_m=4.0, **BOTH)
    pixels = camera.latest().pixels
    numbers = range(1, 2 * bench.plugged[0].number + 10)
    assert any((pixels == depth_to_range(depth_noise(number), UNIT_M, 0.5, 4.0)).all() for number in numbers)


def test_aligned_depth_is_in_the_pixels_of_colour(bench):
    camera = bench.plug(depth=True)
    depth = bench.connected(shows="depth_bytes", align_depth=True, **BOTH)
    assert depth.intrinsics.cx == pytest.approx(CX)
    found = depth_from_bytes(depth.latest().pixels)
    # The two cameras are in the same place, so alignment changes nothing but the pixels at the edge.
    newest = [depth_noise(number) for number in range(max(1, camera.number - 50), camera.number + 1)]
    assert max(np.mean(found == candidate) for candidate in newest) > 0.9


def test_crop_and_size_of_a_view(bench):
    bench.plug(frozen=True)
    view = realsense_view(height=12, width=16)
    camera = RealSense(view.__class__(**{**vars(view), "crop": Crop(0.5, 0.5, 0.5, 0.5)}), "wrist")
    bench.cameras.append(camera)
    camera.connect()
    quarter = noise(0)[HEIGHT // 2 :, WIDTH // 2 :].astype(float)
    means = quarter.reshape(12, 2, 16, 2, 3).mean(axis=(1, 3))
    assert np.abs(camera.latest().pixels - means).max() <= 0.5
    seen = camera.intrinsics.of_view(camera.crop, 12, 16)
    assert (seen.fx, seen.cx) == pytest.approx((FX / 2, (CX + 0.5 - 32) / 2 - 0.5))


def test_an_unplugged_camera_keeps_its_last_frame_and_is_back_when_replugged(bench):
    bench.plug()
    camera = bench.connected()
    bench.unplug()
    last = camera.latest()
    wait_until(lambda: "expected a RealSense with serial 1001, found none plugged in" in camera.health.last_error)
    assert camera.latest().counter - last.counter <= 1
    assert camera.health.reconnects == 0
    lost_at = camera.latest().counter
    bench.plug()
    wait_until(lambda: camera.latest().counter > lost_at)
    wait_until(lambda: camera.health.reconnects == 1)


def refused(bench, **settings):
    with pytest.raises(CameraError) as raised:
        bench.connected(**settings)
    line = str(raised.value)
    assert line.startswith("camera 'wrist': ")
    assert "\n" not in line
    return line


def test_an_unknown_serial_lists_those_that_are_plugged_in(bench):
    bench.plug(SoftwareRealSense("2002", "2.1"))
    line = refused(bench)
    assert "expected a RealSense with serial 1001, found 2002 (RealSense D405, USB 2.1); see" in line


def test_nothing_plugged_in(bench):
    assert "found none plugged in" in refused(bench)


def test_a_mode_that_does_not_exist_lists_those_that_do(bench):
    bench.plug(SoftwareRealSense(sizes=((WIDTH, HEIGHT), (128, 96))))
    line = refused(bench, colour=StreamSettings(1920, 1080, 90))
    assert (
        "device.colour: expected a mode of this camera, found 1920x1080 at 90; it has 128x96 at 30; 64x48 at 30" in line
    )


def test_usb_2_is_refused_unless_it_is_allowed(bench):
    bench.plug(SoftwareRealSense(usb="2.1"))
    assert "expected a connection of USB 3, found USB 2.1; use a USB 3 port" in refused(bench)
    assert bench.connected(allow_usb2=True).latest().counter > 0


def test_a_camera_in_use_is_named_busy(bench):
    """The software device refuses a second opening, as the driver of a camera that another program uses."""
    camera = bench.plug()
    camera.sensor.open(camera.sensor.get_stream_profiles()[0])
    assert "expected a free RealSense, found one in use (" in refused(bench)


@pytest.mark.parametrize(
    "reason",
    [
        # librealsense 2.56, src/linux/backend-v4l2.cpp line 2446
        "xioctl(VIDIOC_S_FMT) failed, errno=16 Last Error: Device or resource busy",
        # src/uvc/uvc-device.cpp line 205
        "failed to set power state",
    ],
)
def test_the_words_of_the_usb_drivers_for_a_busy_camera(bench, reason, monkeypatch):
    """The software device has no USB driver, so the stub here is a sensor that raises the drivers' errors."""
    bench.plug()

    def open_sensor(sensor, profiles):
        raise RuntimeError(reason)

    monkeypatch.setattr(rs.sensor, "open", open_sensor)
    assert f"found one in use ({reason})" in refused(bench)


def test_a_silent_camera_is_an_error_in_time(bench):
    bench.plugged.append(SoftwareRealSense())
    timing = realsense_view().device.timing.__class__(0.2, 0.2, 0.02, 0.1)
    assert "RealSense 1001: expected a picture within 0.2 s, found none" in refused(bench, timing=timing)


def test_exposure_and_gain(bench):
    camera = bench.plug()
    bench.connected(exposure=300.0).close()
    assert camera.sensor.get_option(rs.option.exposure) == 300.0
    assert camera.sensor.get_option(rs.option.enable_auto_exposure) == 0.0
    bench.connected().close()
    assert camera.sensor.get_option(rs.option.enable_auto_exposure) == 1.0
    assert "device.exposure: expected a number within [0, 10000], found 1e+06" in refused(bench, exposure=1e6)
    assert "device.gain: expected null, as this camera has no gain, found 16" in refused(bench, gain=16.0)


def test_a_missing_or_foreign_recording_is_refused(bench, tmp_path):
    line = refused(bench, serial=None, recording=str(tmp_path / "none.bag"))
    assert "device.recording: expected a file recorded by a RealSense, found none at" in line
    (tmp_path / "bad.bag").write_bytes(b"hello")
    line = refused(bench, serial=None, recording=str(tmp_path / "bad.bag"))
    assert "device.recording: expected a .bag or .db3 file of a RealSense, found" in line


def test_two_views_of_one_camera_have_the_same_settings(bench):
    bench.plug()
    bench.connected("side")
    assert "expected the same settings in all views of one device" in refused(bench, exposure=5.0)


def test_intrinsics_are_known_after_connect(bench):
    bench.plug()
    with pytest.raises(CameraError, match=r"after connect\(\)"):
        _ = RealSense(realsense_view(), "wrist").intrinsics
    found = bench.connected().intrinsics
    assert (found.width, found.height, found.fx, found.distortion) == (WIDTH, HEIGHT, FX, "brown_conrady")
    assert found.cy == CY

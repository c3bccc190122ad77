"""RealSense cameras without hardware: librealsense's own software device, and recordings of it.

librealsense does not list a software device among those plugged in (`rs.context.query_devices`). So the tests replace
`plugged_devices`, and nothing else: sensors, profiles, options, queues and frames are those of the real library.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest

from steadyhand.robot_envs.cameras.realsense import RealSenseDevice, RealSenseView
from steadyhand.robot_envs.cameras.realsense_source import StreamSettings
from tests.camera_kit import HEIGHT, QUICK, RATE_HZ, WIDTH, noise

rs = pytest.importorskip("pyrealsense2")  # extra `dev` has it, on the machines for which there is a wheel

UNIT_M = 0.0001  # of a D405
FX, FY, CX, CY = 60.0, 61.0, 31.5, 23.5


def depth_noise(number: int) -> np.ndarray:
    """A depth image that no other number has. Shape (HEIGHT, WIDTH), every value of 16 bits."""
    return np.random.default_rng(number).integers(0, 65536, (HEIGHT, WIDTH), np.uint16)


class SoftwareRealSense:
    """A software device of librealsense with the streams of a D405: colour and depth in one sensor."""

    def __init__(self, serial: str = "1001", usb: str = "3.2", sizes: Sequence[tuple[int, int]] = ((WIDTH, HEIGHT),)):
        self.device = rs.software_device()
        for key, value in (("name", "RealSense D405"), ("serial_number", serial), ("usb_type_descriptor", usb)):
            self.device.register_info(getattr(rs.camera_info, key), value)
        self.sensor = self.device.add_sensor("Stereo Module")
        self.sensor.add_read_only_option(rs.option.depth_units, UNIT_M)
        for option, high in ((rs.option.exposure, 10000.0), (rs.option.enable_auto_exposure, 1.0)):
            limits = rs.option_range()
            limits.min, limits.max, limits.step, limits.default = 0.0, high, 1.0, 1.0
            self.sensor.add_option(option, limits, True)
        self.number = self._uid = 0
        colour = [self._stream(rs.stream.color, rs.format.rgb8, 3, size) for size in sizes]
        self._colour = colour[0]
        self._depth = self._stream(rs.stream.depth, rs.format.z16, 2, sizes[0])
        same_place = rs.extrinsics()
        same_place.rotation, same_place.translation = [1, 0, 0, 0, 1, 0, 0, 0, 1], [0, 0, 0]
        self._depth.register_extrinsics_to(self._colour, same_place)

    def _stream(self, kind: Any, pixel_format: Any, n_bytes: int, size: tuple[int, int]) -> Any:
        intrinsics = rs.intrinsics()
        intrinsics.width, intrinsics.height = size
        intrinsics.fx, intrinsics.fy, intrinsics.ppx, intrinsics.ppy = FX, FY, CX, CY
        intrinsics.model, intrinsics.coeffs = rs.distortion.brown_conrady, [0.0, 0.0, 0.0, 0.0, 0.0]
        stream = rs.video_stream()
        stream.type, stream.fmt, stream.index, stream.bpp, stream.fps = kind, pixel_format, 0, n_bytes, RATE_HZ
        stream.width, stream.height = size
        self._uid += 1  # asking the sensor for its profiles would fix their list
        stream.uid, stream.intrinsics = self._uid, intrinsics
        return self.sensor.add_video_stream(stream)

    def emit(self, colour: np.ndarray | None = None, depth: np.ndarray | None = None) -> None:
        """Deliver one picture of each given stream, with the next frame number."""
        self.number += 1
        for profile, picture in ((self._colour, colour), (self._depth, depth)):
            if picture is not None:
                frame = rs.software_video_frame()
                frame.pixels = np.ascontiguousarray(picture)
                frame.bpp = picture.itemsize * (picture.shape[2] if picture.ndim == 3 else 1)
                frame.stride = frame.bpp * picture.shape[1]
                frame.timestamp, frame.domain = self.number * 1000.0 / RATE_HZ, rs.timestamp_domain.system_time
                frame.frame_number, frame.profile = self.number, profile.as_video_stream_profile()
                frame.depth_units = UNIT_M
                self.sensor.on_video_frame(frame)


class Stream:
    """A thread that lets a software device deliver pictures, `noise` and `depth_noise` of their frame number."""

    def __init__(self, device: SoftwareRealSense, depth: bool = False, frozen: bool = False, rate_hz: int = 100):
        self.device, self.depth, self.frozen, self._period_s = device, depth, frozen, 1.0 / rate_hz
        self._ending = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ending.wait(self._period_s):
            number = 0 if self.frozen else self.device.number + 1
            self.device.emit(noise(number), depth_noise(number) if self.depth else None)

    def end(self) -> None:
        self._ending.set()
        self._thread.join()


def record(path: Any, n_frames: int, depth: bool = False, rate_hz: int = 50) -> None:
    """Record `noise(1)`, `noise(2)` and so on of a software device with librealsense's recorder."""
    camera, pace = SoftwareRealSense(), Event()
    recorder = rs.recorder(str(path), camera.device)
    sensor = recorder.query_sensors()[0]
    queue = rs.frame_queue(2 * n_frames)
    streams = [rs.stream.color, rs.stream.depth] if depth else [rs.stream.color]
    sensor.open([profile for profile in sensor.get_stream_profiles() if profile.stream_type() in streams])
    sensor.start(queue=queue)
    for number in range(1, n_frames + 1):
        pace.wait(1.0 / rate_hz)
        camera.emit(noise(number), depth_noise(number) if depth else None)
        for _ in streams:
            assert queue.try_wait_for_frame(5000)[0]
    sensor.stop()
    sensor.close()


def realsense_view(
    height: int = HEIGHT, width: int = WIDTH, shows: Any = "colour", near_m=None, far_m=None, **device: Any
) -> RealSenseView:
    mode = StreamSettings(WIDTH, HEIGHT, RATE_HZ)
    values = {
        "timing": QUICK, "serial": "1001", "recording": None, "real_time": True, "loop": False,
        "colour": mode, "depth": None, "align_depth": False, "exposure": None, "gain": None, "allow_usb2": False,
    }  # fmt: skip
    return RealSenseView(
        height=height, width=width, shows=shows, near_m=near_m, far_m=far_m, device=RealSenseDevice(**(values | device))
    )

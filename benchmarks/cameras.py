"""Loop period at 10 Hz without cameras, and beside three cameras of 640x480 at 30 Hz.

    python -m benchmarks.cameras [--seconds 60]

The loop does what an environment does with its cameras in each period: `CameraWatch.look` of each view. The cameras
are three software devices of librealsense, which a thread of this process feeds throughout, or three Motion JPEG files,
which cost the decoding of a UVC camera. The measurements take turns. Writes `benchmarks/results/cameras.json`.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import machine_line
from steadyhand.robot_envs.cameras import realsense_library
from steadyhand.robot_envs.cameras.captured_camera import CapturedCamera, opencv
from steadyhand.robot_envs.cameras.realsense import RealSense, RealSenseView
from steadyhand.robot_envs.cameras.realsense_library import library
from steadyhand.robot_envs.cameras.video_file import VideoFile, VideoFileView
from steadyhand.robot_envs.safety.camera_watch import CameraLimits, CameraWatch
from steadyhand.runtime.build import build
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.config import compose
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.terminal import say, table_text

__all__ = ["Figures", "SoftwareCameras", "main", "video_cameras"]

RESULTS = Path(__file__).resolve().parent / "results" / "cameras.json"
HEIGHT, WIDTH, RATE_HZ = 480, 640, 30
CAMERAS, FRAMES, TURNS = 3, 60, 4
PERIOD_S = 0.1
LIMITS = CameraLimits(max_age_s=0.3, max_same_frames=5)
HEAD = ("beside the loop", "period p50 ms", "p99", "max", "look p50 ms", "p99", "frames/s", "faults", "cores")
CLOCK = MonotonicClock()


@dataclass
class Figures:
    """The measurements beside one set of cameras.

    Attributes:
        periods_ms: Time between two wake-ups of the loop [ms].
        looks_ms: Time of looking at all cameras [ms].
        rates: Frames per second of each camera in each turn [1/s].
        cpu_s: Processor time of this process [s].
        faults: Number of looks that reported a fault.
    """

    periods_ms: list[float] = field(default_factory=list)
    looks_ms: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    faults: int = 0

    def measure(self, cameras: Sequence[CapturedCamera], seconds: float) -> None:
        """Run the loop beside connected cameras."""
        watches = [CameraWatch(camera, LIMITS) for camera in cameras]
        first = [camera.latest() for camera in cameras]
        began_cpu_s, due_ns, before_ns = time.process_time(), CLOCK.now_ns(), 0
        for _ in range(round(seconds / PERIOD_S)):
            due_ns += round(PERIOD_S * 1e9)
            CLOCK.sleep_until(due_ns)
            woken_ns = CLOCK.now_ns()
            self.faults += sum(watch.look(woken_ns) is not None for watch in watches)
            self.looks_ms.append((CLOCK.now_ns() - woken_ns) / 1e6)
            if before_ns:
                self.periods_ms.append((woken_ns - before_ns) / 1e6)
            before_ns = woken_ns
        self.cpu_s += time.process_time() - began_cpu_s
        for old, camera in zip(first, cameras, strict=True):
            new = camera.latest()
            self.rates.append((new.counter - old.counter) / max(new.stamp_ns - old.stamp_ns, 1) * 1e9)

    def summary(self) -> dict[str, Any]:
        """Return percentiles, rates and load."""
        return {
            "period_ms": _percentiles(self.periods_ms),
            "look_ms": _percentiles(self.looks_ms),
            "frames_per_s": round(float(np.mean(self.rates)), 1) if self.rates else None,
            "faults": self.faults,
            "cores": round(1e3 * self.cpu_s / sum(self.periods_ms), 2),
        }


class SoftwareCameras:
    """Three software devices of librealsense, fed at their rate by one thread."""

    def __init__(self) -> None:
        self._devices = [_software_device(str(index)) for index in range(CAMERAS)]
        self._ending = Event()
        realsense_library.plugged_devices = lambda: [device for device, *_ in self._devices]
        self._thread = Thread(target=self._feed, daemon=True)
        self._thread.start()

    def make(self, folder: Path) -> list[CapturedCamera]:
        """Return one view of each device."""
        view = _view(RealSenseView, "realsense_wrist_side", "serial=0", "camera.views.side.device.serial=1")
        return [
            RealSense(replace(view, device=replace(view.device, serial=str(index))), f"view{index}")
            for index in range(CAMERAS)
        ]

    def _feed(self) -> None:
        rs, pictures = library(), [_picture(number) for number in range(FRAMES)]
        due_ns, number = CLOCK.now_ns(), 0
        while not self._ending.is_set():
            due_ns, number = due_ns + round(1e9 / RATE_HZ), number + 1
            CLOCK.sleep_until(due_ns)
            for _, sensor, profile in self._devices:
                frame = rs.software_video_frame()
                frame.pixels, frame.bpp, frame.stride = pictures[number % FRAMES], 3, 3 * WIDTH
                frame.timestamp, frame.domain = 1e3 * number / RATE_HZ, rs.timestamp_domain.system_time
                frame.frame_number, frame.profile = number, profile
                sensor.on_video_frame(frame)

    def end(self) -> None:
        """Stop feeding."""
        self._ending.set()
        self._thread.join()


def video_cameras(folder: Path) -> list[CapturedCamera]:
    """Return three cameras that play a Motion JPEG file, each its own."""
    cv2 = opencv()
    view = _view(VideoFileView, "video_file", "path=0")
    cameras: list[CapturedCamera] = []
    for index in range(CAMERAS):
        path = folder / f"{index}.avi"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), RATE_HZ, (WIDTH, HEIGHT))
        for number in range(FRAMES):
            writer.write(_picture(number))
        writer.release()
        cameras.append(VideoFile(replace(view, device=replace(view.device, path=str(path))), f"view{index}"))
    return cameras


def _view(settings: type[Any], option: str, address: str, *others: str) -> Any:
    """Return the shipped settings of the view `wrist`, with an address that is replaced."""
    overrides = [f"camera={option}", f"camera.views.wrist.device.{address}", *others]
    values = compose(overrides)["camera"]["views"]["wrist"]
    key = address.partition("=")[0]
    values["device"][key] = str(values["device"][key])
    return build(settings, {name: value for name, value in values.items() if name != "entry_point"}, option)


def _picture(number: int) -> NDArray[np.uint8]:
    """Return a coarse picture with the noise of a sensor. Shape (HEIGHT, WIDTH, 3)."""
    rng = np.random.default_rng(number)
    coarse = np.random.default_rng(0).integers(20, 230, (HEIGHT // 32, WIDTH // 32, 3), np.uint8)
    noise = rng.integers(0, 6, (HEIGHT, WIDTH, 3), np.uint8)
    return coarse.repeat(32, axis=0).repeat(32, axis=1) + noise


def _software_device(serial: str) -> tuple[Any, Any, Any]:
    """Return a device with its sensor and the profile of its colour stream."""
    rs = library()
    device = rs.software_device()
    device.register_info(rs.camera_info.name, "software device")
    device.register_info(rs.camera_info.serial_number, serial)
    sensor = device.add_sensor("Stereo Module")
    stream, intrinsics = rs.video_stream(), rs.intrinsics()
    intrinsics.width, intrinsics.height = WIDTH, HEIGHT
    stream.type, stream.fmt, stream.index, stream.uid = rs.stream.color, rs.format.rgb8, 0, 1
    stream.width, stream.height, stream.fps, stream.bpp, stream.intrinsics = WIDTH, HEIGHT, RATE_HZ, 3, intrinsics
    return device, sensor, sensor.add_video_stream(stream).as_video_stream_profile()


def _cells(name: str, row: dict[str, Any]) -> tuple[object, ...]:
    period_ms, look_ms = row["period_ms"], row["look_ms"]
    rate = "-" if row["frames_per_s"] is None else row["frames_per_s"]
    return name, *period_ms.values(), look_ms["p50"], look_ms["p99"], rate, row["faults"], row["cores"]


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    found = np.percentile(values, [50, 99, 100])
    return dict(zip(("p50", "p99", "max"), (round(float(value), 3) for value in found), strict=True))


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print a table and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="duration of the loop beside each set of cameras")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args(argv)
    software = SoftwareCameras()
    makers: dict[str, Callable[[Path], list[CapturedCamera]]] = {
        "no cameras": lambda folder: [],
        "3 RealSense software devices": software.make,
        "3 Motion JPEG files": video_cameras,
    }
    found = {name: Figures() for name in makers}
    for _ in range(TURNS):
        for name, make in makers.items():
            with tempfile.TemporaryDirectory() as folder:
                cameras = make(Path(folder))
                for camera in cameras:
                    camera.connect()
                found[name].measure(cameras, options.seconds / TURNS)
                for camera in cameras:
                    camera.close()
    software.end()
    rows = {name: figures.summary() for name, figures in found.items()}
    say(table_text(HEAD, [_cells(name, row) for name, row in rows.items()]))
    load = round(os.getloadavg()[1], 1)
    say(f"load of the machine over five minutes: {load}")
    atomic_write_json(
        options.output, {"machine": machine_line(), "load": load, "seconds": options.seconds, "rows": rows}
    )


if __name__ == "__main__":
    main()

"""One open RealSense, or one open recording of it.

Sensors are opened directly, without `rs.pipeline`: a pipeline waits 15 s for a camera that is not there, and cannot use
a software device. A queue of one frame keeps only the newest; librealsense fills it on its own thread.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from steadyhand.robot_envs.camera import CameraError
from steadyhand.robot_envs.cameras.capture import Pictures, RecordingEndedError
from steadyhand.robot_envs.cameras.captured_camera import COLOUR
from steadyhand.robot_envs.cameras.intrinsics import Intrinsics
from steadyhand.robot_envs.cameras.realsense_library import (
    library,
    one_line,
    profile_texts,
    usb_of,
    video_profiles,
)
from steadyhand.runtime.ranges import expect_at_least

__all__ = ["DEPTH", "ColourControls", "RealSenseSource", "StreamSettings", "check_usb", "open_recording"]

DEPTH = "depth"
BUSY = re.compile(r"errno=16|busy|power state|already opened", re.IGNORECASE)
MS = 1000
DRAIN_MS = 5


@dataclass(frozen=True)
class StreamSettings:
    """Mode of one stream.

    Attributes:
        width: Width of its pictures [pixels].
        height: Height of its pictures [pixels].
        rate_hz: Pictures a second [1/s].
    """

    width: int
    height: int
    rate_hz: int

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "width", "height", "rate_hz")

    def __str__(self) -> str:
        return f"{self.width}x{self.height} at {self.rate_hz}"


@dataclass(frozen=True)
class ColourControls:
    """Exposure and gain of the colour stream, in the sensor's units; None = automatic."""

    exposure: float | None
    gain: float | None


class RealSenseSource:
    """The streams of one device.

    Args:
        device: `rs.device`: a camera, a recording or a software device.
        streams: Mode of each stream, by name; None = the mode of the recording.
        align_depth: Resample depth to the pixels of colour; needs both streams.
        controls: Exposure and gain of the colour stream; not for a recording.
        loop: Play a recording again at its end.

    Raises:
        CameraError: A mode or a control does not exist, or another program has opened the camera.

    Attributes:
        intrinsics: Intrinsics of each stream, by name.
        depth_unit_m: Unit of the depth image [m].
    """

    def __init__(
        self,
        device: Any,
        streams: Mapping[str, StreamSettings | None],
        align_depth: bool,
        controls: ColourControls,
        loop: bool = False,
    ) -> None:
        rs = library()
        self._rs, self._device, self._loop = rs, device, loop
        self._is_recording = device.is_playback()
        chosen = {name: _chosen(device, name, mode) for name, mode in streams.items()}
        seen_by = {COLOUR: COLOUR, DEPTH: COLOUR if align_depth else DEPTH}
        self.intrinsics = {name: _intrinsics(chosen[seen_by[name]][1].get_intrinsics()) for name in streams}
        self.depth_unit_m = chosen[DEPTH][0].get_option(rs.option.depth_units) if DEPTH in chosen else 0.0
        self._align = rs.align(rs.stream.color) if align_depth else None
        # A syncer pairs the pictures of two streams by time. One stream needs none.
        self._streams, self._are_paired = tuple(streams), len(streams) > 1
        self._queue = rs.syncer(1) if self._are_paired else rs.frame_queue(1)
        self._wait = self._queue.try_wait_for_frames if self._are_paired else self._queue.try_wait_for_frame
        self._numbers: dict[str, int] = {}
        if COLOUR in chosen and not self._is_recording:
            _set_controls(rs, chosen[COLOUR][0], controls)
        self._sensors: dict[str, tuple[Any, list[Any]]] = {}  # a D405 has colour in its depth sensor
        for sensor, profile in chosen.values():
            self._sensors.setdefault(sensor.name, (sensor, []))[1].append(profile)
        self._start()

    def read(self, timeout_s: float) -> Pictures | None:
        """Return the newest pictures: `colour` (h, w, 3) uint8 RGB, `depth` (h, w) uint16 in `depth_unit_m`."""
        found, frame = self._wait(round(timeout_s * MS))
        if found:
            return self._new_pictures(frame)
        if self._is_recording and self._device.current_status() == self._rs.playback_status.stopped:
            self._rewind()
        return None

    def close(self) -> None:
        """Stop and close the sensors."""
        ending = Thread(target=self._stop, name="RealSense stop", daemon=True)
        ending.start()
        # A recording that is not paced blocks while the queue is full, and stopping waits for it.
        while ending.is_alive():
            self._wait(DRAIN_MS)

    def _stop(self) -> None:
        for sensor, _ in self._sensors.values():
            for end in (sensor.stop, sensor.close):
                with suppress(RuntimeError):  # the sensor of an unplugged camera is gone already
                    end()

    def _start(self) -> None:
        # By keyword: a queue can be called, so by position it would be taken for a callback in Python, whose every
        # frame waits for Python's global lock, which `start` holds.
        receiver = {"syncer" if self._are_paired else "queue": self._queue}
        try:
            for sensor, profiles in self._sensors.values():
                sensor.open(profiles)
                sensor.start(**receiver)
        except RuntimeError as error:
            self.close()
            reason = one_line(error)
            if BUSY.search(reason):
                raise CameraError(
                    f"expected a free RealSense, found one in use ({reason}); end the program that uses it"
                ) from error
            raise CameraError(f"expected a RealSense that starts, found {reason}; replug it") from error

    def _new_pictures(self, frame: Any) -> Pictures:
        """Return the pixels of the pictures that were not returned before."""
        if not self._are_paired:
            frames = {self._streams[0]: frame}
        else:
            frameset = frame.as_frameset()
            # A set of one picture, after a loss of the other, cannot be aligned.
            if self._align is not None and frameset.size() == len(self._streams):
                frameset = self._align.process(frameset)
            elif self._align is not None:
                return {}
            frames = {COLOUR: frameset.get_color_frame(), DEPTH: frameset.get_depth_frame()}
        new = {name: one for name, one in frames.items() if one and one.frame_number != self._numbers.get(name)}
        self._numbers |= {name: one.frame_number for name, one in new.items()}
        return {name: np.asanyarray(one.as_video_frame().get_data()) for name, one in new.items()}

    def _rewind(self) -> None:
        if not self._loop:
            raise RecordingEndedError("the recording has ended; set device.loop=true to repeat it")
        self.close()
        self._numbers = {}
        self._start()


def open_recording(path: Path, real_time: bool) -> Any:
    """Open a recording, `.bag` or `.db3`.

    Args:
        path: The file.
        real_time: Play it at the pace at which it was recorded; otherwise as fast as it is read, without a loss.

    Raises:
        CameraError: There is no such file, or it is no recording.
    """
    if not path.is_file():
        raise CameraError(f"device.recording: expected a file recorded by a RealSense, found none at {path}")
    try:
        # A context of its own, because one context refuses to open a file twice.
        device = library().context().load_device(str(path)).as_playback()
    except RuntimeError as error:
        raise CameraError(
            f"device.recording: expected a .bag or .db3 file of a RealSense, found {path} ({one_line(error)})"
        ) from error
    device.set_real_time(real_time)
    return device


def check_usb(device: Any, allow_usb2: bool) -> None:
    """Refuse a camera on USB 2, which has too little bandwidth for most modes.

    Raises:
        CameraError: It is on USB 2, and that is not allowed.
    """
    version = usb_of(device)
    if version.startswith("2") and not allow_usb2:
        raise CameraError(
            f"expected a connection of USB 3, found USB {version}; use a USB 3 port and the camera's own cable, or set "
            "device.allow_usb2=true and a smaller mode"
        )


def _chosen(device: Any, name: str, mode: StreamSettings | None) -> tuple[Any, Any]:
    """Return the sensor and the profile of a stream."""
    for sensor, profile in video_profiles(device, name):
        if mode is None or (profile.width(), profile.height(), profile.fps()) == (
            mode.width,
            mode.height,
            mode.rate_hz,
        ):
            return sensor, profile
    found = "; ".join(profile_texts(device, name)) or "no such stream"
    raise CameraError(f"device.{name}: expected a mode of this camera, found {mode or 'any'}; it has {found}")


def _set_controls(rs: Any, sensor: Any, controls: ColourControls) -> None:
    if sensor.supports(rs.option.enable_auto_exposure):
        automatic = controls.exposure is None and controls.gain is None
        sensor.set_option(rs.option.enable_auto_exposure, float(automatic))
    for name, option in (("exposure", rs.option.exposure), ("gain", rs.option.gain)):
        value = getattr(controls, name)
        if value is None:
            continue
        if not sensor.supports(option):
            raise CameraError(f"device.{name}: expected null, as this camera has no {name}, found {value:g}")
        limits = sensor.get_option_range(option)
        if not limits.min <= value <= limits.max:
            raise CameraError(
                f"device.{name}: expected a number within [{limits.min:g}, {limits.max:g}], found {value:g}"
            )
        sensor.set_option(option, value)


def _intrinsics(found: Any) -> Intrinsics:
    return Intrinsics(
        height=found.height,
        width=found.width,
        fx=found.fx,
        fy=found.fy,
        cx=found.ppx,
        cy=found.ppy,
        distortion=found.model.name,
        coefficients=tuple(found.coeffs),
    )

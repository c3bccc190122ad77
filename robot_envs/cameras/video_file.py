"""A video file as a camera, at the rate at which it was filmed: for a policy against recorded pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from steadyhand.robot_envs.camera import CameraError
from steadyhand.robot_envs.cameras.capture import Pictures, RecordingEndedError
from steadyhand.robot_envs.cameras.captured_camera import (
    COLOUR,
    CapturedCamera,
    CapturedView,
    DeviceSettings,
    opencv,
)
from steadyhand.runtime.clock import Clock, MonotonicClock
from steadyhand.runtime.ranges import expect

__all__ = ["VideoFile", "VideoFileDevice", "VideoFileSource", "VideoFileView"]


@dataclass(frozen=True, kw_only=True)
class VideoFileDevice(DeviceSettings):
    """One file.

    Attributes:
        path: The file, in a format that OpenCV reads.
        loop: Play it again at its end; otherwise its last picture stays, and soon stops the robot.
    """

    path: str
    loop: bool

    def __post_init__(self) -> None:
        expect(self.path != "", "path", "a video file", self.path)

    @property
    def title(self) -> str:
        """Path of the file."""
        return f"video {self.path}"


@dataclass(frozen=True, kw_only=True)
class VideoFileView(CapturedView):
    """A view of a video file."""

    device: VideoFileDevice


class VideoFileSource:
    """One open file.

    Args:
        device: Its settings.
        clock: Paces the pictures.

    Raises:
        CameraError: The file is missing, is no video, or names no rate.
    """

    def __init__(self, device: VideoFileDevice, clock: Clock) -> None:
        cv2 = opencv()
        self._loop, self._clock = device.loop, clock
        path = Path(device.path).expanduser()
        if not path.is_file():
            raise CameraError(f"device.path: expected a video file, found none at {path}")
        self._video = cv2.VideoCapture(str(path))
        self._first, self._convert = cv2.CAP_PROP_POS_FRAMES, cv2.COLOR_BGR2RGB
        rate_hz = self._video.get(cv2.CAP_PROP_FPS)
        if not (self._video.isOpened() and rate_hz > 0.0):
            self._video.release()
            raise CameraError(f"device.path: expected a video file with a rate, found {path}, which OpenCV cannot read")
        self._period_ns = round(1e9 / rate_hz)
        self._due_ns = clock.now_ns()

    def read(self, timeout_s: float) -> Pictures | None:
        """Return the next picture when it is due: `colour` (h, w, 3) uint8 RGB."""
        limit_ns = self._clock.now_ns() + round(timeout_s * 1e9)
        self._clock.sleep_until(min(self._due_ns, limit_ns))
        if self._due_ns > limit_ns:
            return None
        # After a stall the video continues later, instead of hurrying.
        self._due_ns = max(self._due_ns + self._period_ns, self._clock.now_ns())
        found, picture = self._video.read()
        if not found and self._loop:
            self._video.set(self._first, 0)
            found, picture = self._video.read()
        if not found:
            raise RecordingEndedError("the video has ended; set device.loop=true to repeat it")
        cv2 = opencv()
        return {COLOUR: np.asarray(cv2.cvtColor(picture, self._convert), np.uint8)}

    def close(self) -> None:
        """Close the file."""
        self._video.release()


class VideoFile(CapturedCamera):
    """View of a video file.

    Args:
        settings: Size and crop of the view, and the file.
        name: Name of the view.
        world: World of a simulated robot; None for a real one.
    """

    settings_type = VideoFileView

    def __init__(self, settings: VideoFileView, name: str, world: object = None) -> None:
        super().__init__(settings, name, world)
        self._settings = settings

    def open_source(self) -> VideoFileSource:
        """Open the file."""
        return VideoFileSource(self._settings.device, MonotonicClock())

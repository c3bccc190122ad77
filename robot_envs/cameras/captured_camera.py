"""Base class of real cameras: a view of a device that has a capture thread."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.camera import Camera, CameraError, Frame, ViewConfig
from steadyhand.robot_envs.cameras import sharing
from steadyhand.robot_envs.cameras.capture import Capture, CaptureTiming, Health, Pictures, Source
from steadyhand.runtime.clock import Clock, MonotonicClock
from steadyhand.runtime.logging import get_logger

__all__ = ["COLOUR", "CapturedCamera", "CapturedView", "DeviceSettings", "opencv"]

COLOUR = "colour"

logger = get_logger("camera")


def opencv() -> Any:
    """Import OpenCV.

    Raises:
        CameraError: It is not installed.
    """
    try:
        import cv2
    except ImportError as error:
        raise CameraError(
            f"expected the package opencv-python-headless, found none ({error}); pip install '.[camera]'"
        ) from None
    return cv2


@dataclass(frozen=True, kw_only=True)
class DeviceSettings:
    """Settings of every device; the views of one device share them."""

    timing: CaptureTiming

    @property
    def title(self) -> str:
        """Name of the device, for messages. No two devices of one class share it."""
        raise NotImplementedError("settings of a device say which one it is")


@dataclass(frozen=True, kw_only=True)
class CapturedView(ViewConfig):
    """Settings of a view of a device.

    Attributes:
        device: The device, and its settings.
    """

    device: DeviceSettings


class CapturedCamera(Camera):
    """Camera whose newest frame comes from a capture thread.

    The thread crops and resizes. It stamps a frame when it receives the picture, by the robot's monotonic clock.
    After a loss `latest` goes on returning the last frame, whose age stops the robot; the thread reopens the device.
    After a picture of another size than the first it returns an empty frame, whose size stops the robot.

    Args:
        settings: Size and crop of the view, and its device.
        name: Name of the view.
        world: World of a simulated robot; None for a real one.
    """

    settings_type: ClassVar[type[Any]] = CapturedView

    def __init__(self, settings: CapturedView, name: str, world: object = None) -> None:
        self.name = name
        self.height, self.width, self.crop = settings.height, settings.width, settings.crop
        self._device = settings.device
        self._stream = COLOUR
        self._world = world
        # A simulated robot in real time has a clock with another zero than the machine's.
        self._clock: Clock = getattr(world, "clock", None) or MonotonicClock()
        self._capture: Capture | None = None
        self._frame: Frame | None = None
        self._size: tuple[int, ...] = ()
        self._counter = 0

    @abstractmethod
    def open_source(self) -> Source:
        """Open the device. Called on the capture thread. Raises CameraError of one line."""

    def connect(self) -> None:
        """Open the device, unless another view has, and wait for the first frame.

        Raises:
            CameraError: It cannot be opened, or delivers no picture in time.
        """
        if self._capture is not None:
            return
        try:
            opencv()
            self._refuse_simulated_time()
            self._capture = sharing.join(self._identity, self._device, self._make_capture, self._take)
            self._capture.wait(lambda: self._frame is not None)
        except CameraError as error:
            self.close()
            raise CameraError(f"camera {self.name!r}: {error}") from None

    def latest(self) -> Frame:
        """Return the newest frame; never wait for the next one."""
        frame = self._frame
        if frame is None or self._capture is None:
            raise RuntimeError(f"camera {self.name!r} is not connected; call connect() first")
        return frame

    def close(self) -> None:
        """Stop the capture thread, unless another view shows the device too."""
        if self._capture is not None:
            sharing.leave(self._identity, self._take)
        self._capture = self._frame = None
        self._size = ()

    @property
    def health(self) -> Health:
        """Rate, losses and last error of the device."""
        if self._capture is None:
            raise RuntimeError(f"camera {self.name!r} is not connected; call connect() first")
        return self._capture.health

    def render(self, part: NDArray[Any], source: Source) -> NDArray[np.uint8]:
        """Return the frame (height, width, 3) uint8 of a cropped picture. Called on the capture thread."""
        cv2 = opencv()
        return np.asarray(cv2.resize(part, (self.width, self.height), interpolation=cv2.INTER_AREA), np.uint8)

    def _take(self, source: Source, pictures: Pictures, now_ns: int) -> None:
        picture = pictures.get(self._stream)
        if picture is None:
            return
        size = picture.shape[:2]
        if self._is_of_size(size):
            pixels = self.render(self.crop.cut(picture), source)
        else:
            # A device that comes back in another mode has another field of view. Resizing would hide that.
            pixels = np.zeros((0, self.width, 3), np.uint8)
            if self._frame is not None and self._frame.pixels.size:
                logger.warning("camera %r: expected pictures %s, found %s; restart it", self.name, self._size, size)
        self._counter += 1
        self._frame = Frame(pixels, now_ns, self._counter)

    def _is_of_size(self, size: tuple[int, ...]) -> bool:
        self._size = self._size or size
        return size == self._size

    @property
    def _identity(self) -> Hashable:
        return type(self), self._device.title

    def _make_capture(self) -> Capture:
        return Capture(self._device.title, self.open_source, self._device.timing, self._clock)

    def _refuse_simulated_time(self) -> None:
        """A frame is stamped in real time. In lockstep its age would be meaningless."""
        pace = getattr(getattr(self._world, "config", None), "pace", "realtime")
        if pace == "lockstep":
            raise CameraError(
                "expected a robot in real time, found a simulated one in lockstep; use robot.world.pace=realtime"
            )

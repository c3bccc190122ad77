"""USB cameras of the standard class UVC, and other cameras of Video4Linux, through OpenCV."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from steadyhand.robot_envs.camera import CameraError
from steadyhand.robot_envs.cameras.capture import Pictures
from steadyhand.robot_envs.cameras.captured_camera import (
    COLOUR,
    CapturedCamera,
    CapturedView,
    DeviceSettings,
    opencv,
)
from steadyhand.runtime.ranges import expect, expect_above, expect_at_least

__all__ = ["OpenVideo", "Uvc", "UvcDevice", "UvcSource", "UvcView", "device_path", "open_video"]

BY_ID = Path("/dev/v4l/by-id")
# Values of V4L2_CID_EXPOSURE_AUTO (linux/v4l2-controls.h), which OpenCV passes on unchanged.
AUTO_EXPOSURE, MANUAL_EXPOSURE = 3, 1


@dataclass(frozen=True, kw_only=True)
class UvcDevice(DeviceSettings):
    """One camera.

    Attributes:
        address: Number of /dev/video*, a path, or a name in /dev/v4l/by-id, which stays the same after a replug.
        width: Width of its pictures [pixels].
        height: Height of its pictures [pixels].
        rate_hz: Pictures a second [1/s].
        fourcc: Pixel format, four characters, such as MJPG or YUYV.
        exposure: Exposure in the driver's unit, mostly 100 us; None = automatic.
    """

    address: int | str
    width: int
    height: int
    rate_hz: int
    fourcc: str
    exposure: float | None

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "width", "height", "rate_hz")
        expect_above(self, 0.0, "exposure")
        expect(len(self.fourcc) == 4, "fourcc", "four characters, such as MJPG", self.fourcc)
        expect(self.address != "", "address", "a number, a path or a name in /dev/v4l/by-id", self.address)

    @property
    def title(self) -> str:
        """Number, path or name of the camera."""
        return f"camera {self.address}"


@dataclass(frozen=True, kw_only=True)
class UvcView(CapturedView):
    """A view of a UVC camera."""

    device: UvcDevice


OpenVideo = Callable[[str], Any]  # opens a path as `cv2.VideoCapture`


def open_video(path: str) -> Any:
    """Open a device file with OpenCV's Video4Linux backend."""
    cv2 = opencv()
    return cv2.VideoCapture(path, cv2.CAP_V4L2)


def device_path(address: int | str) -> Path:
    """Return the device file of a camera, with links resolved.

    Raises:
        CameraError: There is none, or it may not be read.
    """
    if isinstance(address, int):
        path = Path(f"/dev/video{address}")
    else:
        path = Path(address) if "/" in address else BY_ID / address
    if not path.exists():
        there = ", ".join(sorted(map(str, Path("/dev").glob("video*")))) or "no /dev/video*"
        raise CameraError(f"device.address: expected a camera at {path}, found {there}; see `steadyhand cameras`")
    if not os.access(path, os.R_OK | os.W_OK):
        raise CameraError(f"device.address: expected to read {path}, found no permission; sudo usermod -aG video $USER")
    return path.resolve()


class UvcSource:
    """One open camera.

    Args:
        device: Its settings.
        open_video: Opens the device file.

    Raises:
        CameraError: It cannot be opened, or has not the configured mode.
    """

    def __init__(self, device: UvcDevice, open_video: OpenVideo = open_video) -> None:
        cv2 = opencv()
        self._convert = cv2.COLOR_BGR2RGB
        path = device_path(device.address)
        self._video = open_video(str(path))
        try:
            if not self._video.isOpened():
                raise CameraError(
                    f"expected a free camera at {path}, found one that does not open; end the program that uses it "
                    f"(fuser {path}), or take its other /dev/video*"
                )
            self._set_mode(device)
        except BaseException:
            self._video.release()
            raise

    def read(self, timeout_s: float) -> Pictures | None:
        """Return the next picture: `colour` (h, w, 3) uint8 RGB.

        OpenCV ignores `timeout_s`: it waits for a silent camera for 10 s.
        """
        found, picture = self._video.read()
        if not found:
            raise CameraError("expected a picture, found the camera lost; replug it")
        cv2 = opencv()
        return {COLOUR: np.asarray(cv2.cvtColor(picture, self._convert), np.uint8)}

    def close(self) -> None:
        """Close the camera."""
        self._video.release()

    def _set_mode(self, device: UvcDevice) -> None:
        """Set the mode, and refuse another one: OpenCV takes the nearest mode of the camera without a word."""
        cv2, video = opencv(), self._video
        video.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter_fourcc(*device.fourcc))
        video.set(cv2.CAP_PROP_FRAME_WIDTH, device.width)
        video.set(cv2.CAP_PROP_FRAME_HEIGHT, device.height)
        video.set(cv2.CAP_PROP_FPS, device.rate_hz)
        video.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # of the pictures that wait, only the newest matters
        found = f"{video.get(cv2.CAP_PROP_FRAME_WIDTH):g}x{video.get(cv2.CAP_PROP_FRAME_HEIGHT):g}"
        if found != f"{device.width}x{device.height}":
            raise CameraError(
                f"device.width, device.height: expected a mode of this camera, found {device.width}x{device.height}; "
                f"it offers {found} instead (v4l2-ctl --list-formats-ext lists them)"
            )
        video.set(cv2.CAP_PROP_AUTO_EXPOSURE, AUTO_EXPOSURE if device.exposure is None else MANUAL_EXPOSURE)
        if device.exposure is not None and not video.set(cv2.CAP_PROP_EXPOSURE, device.exposure):
            raise CameraError(f"device.exposure: expected null, as this camera's driver refuses {device.exposure:g}")


class Uvc(CapturedCamera):
    """View of a UVC camera.

    Args:
        settings: Size and crop of the view, and the camera.
        name: Name of the view.
        world: World of a simulated robot; None for a real one.
        open_video: Opens a device file.
    """

    settings_type = UvcView

    def __init__(self, settings: UvcView, name: str, world: object = None, open_video: OpenVideo = open_video) -> None:
        super().__init__(settings, name, world)
        self._settings, self._open_video = settings, open_video

    def open_source(self) -> UvcSource:
        """Open the camera."""
        return UvcSource(self._settings.device, self._open_video)

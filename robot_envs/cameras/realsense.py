"""RealSense cameras by serial number, and their recordings: colour or depth, as one view each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.camera import CameraError
from steadyhand.robot_envs.cameras.capture import Source
from steadyhand.robot_envs.cameras.captured_camera import (
    COLOUR,
    CapturedCamera,
    CapturedView,
    DeviceSettings,
    opencv,
)
from steadyhand.robot_envs.cameras.depth import depth_to_bytes, depth_to_range
from steadyhand.robot_envs.cameras.intrinsics import Intrinsics
from steadyhand.robot_envs.cameras.realsense_library import find_device
from steadyhand.robot_envs.cameras.realsense_source import (
    DEPTH,
    ColourControls,
    RealSenseSource,
    StreamSettings,
    check_usb,
    open_recording,
)
from steadyhand.runtime.ranges import expect, expect_above

__all__ = ["RealSense", "RealSenseDevice", "RealSenseView"]


@dataclass(frozen=True, kw_only=True)
class RealSenseDevice(DeviceSettings):
    """One camera, or one recording.

    Attributes:
        serial: Serial number of the camera; None = a recording.
        recording: File of a recording, `.bag` or `.db3`; None = a camera.
        real_time: Play a recording at the pace at which it was recorded; otherwise as fast as it is read.
        loop: Play a recording again at its end.
        colour: Mode of the colour stream; None = no colour.
        depth: Mode of the depth stream; None = no depth.
        align_depth: Resample depth to the pixels of colour.
        exposure: Exposure of colour in the sensor's unit; None = automatic.
        gain: Gain of colour in the sensor's unit; None = automatic with automatic exposure, else unchanged.
        allow_usb2: Use the camera on a USB 2 port too.
    """

    serial: int | str | None
    recording: str | None
    real_time: bool
    loop: bool
    colour: StreamSettings | None
    depth: StreamSettings | None
    align_depth: bool
    exposure: float | None
    gain: float | None
    allow_usb2: bool

    def __post_init__(self) -> None:
        one_of_two = (self.serial is None) != (self.recording is None)
        expect(one_of_two, "serial, recording", "one of them, the other null", (self.serial, self.recording))
        expect(self.colour is not None or self.depth is not None, "colour, depth", "a mode in one of them", None)
        both = self.colour is not None and self.depth is not None
        expect(both or not self.align_depth, "align_depth", "false without both colour and depth", self.align_depth)

    @property
    def title(self) -> str:
        """Serial number, or path of the recording."""
        return f"RealSense {self.recording if self.serial is None else self.serial}"

    @property
    def streams(self) -> dict[str, StreamSettings]:
        """Mode of each stream, by name."""
        modes = {COLOUR: self.colour, DEPTH: self.depth}
        return {name: mode for name, mode in modes.items() if mode is not None}


@dataclass(frozen=True, kw_only=True)
class RealSenseView(CapturedView):
    """A view of a RealSense.

    Attributes:
        device: The camera.
        shows: colour; depth_range = depth as grey; depth_bytes = depth without a loss (`depth.py`).
        near_m: Nearest depth of depth_range [m]; None for the others.
        far_m: Farthest depth of depth_range [m]; None for the others.
    """

    device: RealSenseDevice
    shows: Literal["colour", "depth_range", "depth_bytes"]
    near_m: float | None
    far_m: float | None

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(
            self.stream in self.device.streams, f"device.{self.stream}", f"a mode, as the view shows {self.shows}", None
        )
        given = self.near_m is not None and self.far_m is not None
        expect(
            given if self.shows == "depth_range" else self.near_m is None and self.far_m is None,
            "near_m, far_m",
            "two depths with shows=depth_range, null otherwise",
            (self.near_m, self.far_m),
        )
        expect_above(self, 0.0, "far_m")
        expect(
            self.near_m is None or self.far_m is None or 0.0 <= self.near_m < self.far_m,
            "near_m",
            "0 <= near_m < far_m",
            self.near_m,
        )

    @property
    def stream(self) -> str:
        """Name of the stream that the view shows."""
        return COLOUR if self.shows == "colour" else DEPTH


class RealSense(CapturedCamera):
    """View of a RealSense.

    Args:
        settings: Size and crop of the view, and the camera.
        name: Name of the view.
        world: World of a simulated robot; None for a real one.
    """

    settings_type = RealSenseView

    def __init__(self, settings: RealSenseView, name: str, world: object = None) -> None:
        super().__init__(settings, name, world)
        self._settings = settings
        self._stream = settings.stream
        self._intrinsics: Intrinsics | None = None

    def open_source(self) -> RealSenseSource:
        """Open the camera, or the recording."""
        device = self._settings.device
        if device.recording is not None:
            opened = open_recording(Path(device.recording).expanduser(), device.real_time)
        else:
            opened = find_device(str(device.serial))
            check_usb(opened, device.allow_usb2)
        controls = ColourControls(device.exposure, device.gain)
        return RealSenseSource(opened, device.streams, device.align_depth, controls, device.loop)

    def render(self, part: NDArray[Any], source: Source) -> NDArray[np.uint8]:
        """Return the frame (height, width, 3) uint8 of a cropped picture."""
        assert isinstance(source, RealSenseSource)
        self._intrinsics = source.intrinsics[self._stream]
        if self._stream == COLOUR:
            return super().render(part, source)
        cv2 = opencv()
        # The mean of two depths is the depth of no surface, so depth takes the nearest pixel.
        depth = np.asarray(cv2.resize(part, (self.width, self.height), interpolation=cv2.INTER_NEAREST), np.uint16)
        settings = self._settings
        if settings.near_m is None or settings.far_m is None:
            return depth_to_bytes(depth)
        return depth_to_range(depth, source.depth_unit_m, settings.near_m, settings.far_m)

    @property
    def intrinsics(self) -> Intrinsics:
        """Intrinsics of the whole picture; `of_view` gives those of the view.

        Raises:
            CameraError: The camera is not connected.
        """
        if self._intrinsics is None:
            raise CameraError(f"camera {self.name!r}: intrinsics are known after connect()")
        return self._intrinsics

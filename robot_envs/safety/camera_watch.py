"""Supervision of a camera by local receive time, frame counter and pixels."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.camera import Camera, CameraError, Frame
from steadyhand.robot_envs.safety.freshness import Freshness
from steadyhand.robot_envs.safety.stop_reason import StopReason
from steadyhand.runtime.observation_kinds import IMAGE, kind_of
from steadyhand.runtime.ranges import expect_above, expect_at_least


@dataclass(frozen=True)
class CameraLimits:
    """Limits beyond which a camera counts as stale or frozen.

    Attributes:
        max_age_s: Age of a frame, and time without a new one, beyond which the camera is stale.
        max_same_frames: Number of consecutive new frames with identical pixels at which the camera is frozen; null =
            never. Two frames of a real sensor always differ by noise; a rendered scene at rest has none.
    """

    max_age_s: float
    max_same_frames: int | None

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "max_age_s")
        expect_at_least(self, 1, "max_same_frames")


class CameraWatch:
    """Supervision of one camera: it reads the newest frame and reports faults.

    Args:
        camera: The camera, connected by the caller.
        limits: Limits of the camera; None = only the frame's size is checked.
    """

    def __init__(self, camera: Camera, limits: CameraLimits | None) -> None:
        self.name = camera.name
        self.fault: StopReason | None = None
        self.pixels: NDArray[np.uint8] = np.zeros((camera.height, camera.width, 3), np.uint8)
        self.stamp_ns = 0  # of the newest frame
        self._camera = camera
        self._limits = limits
        self._new = Freshness(limits.max_age_s if limits else None)
        self.begin()

    def begin(self) -> None:
        """Start a new episode and discard earlier frames."""
        self._new.forget()
        self._counter: int | None = None
        self._checksum: int | None = None
        self._same = 0

    def check_kind(self) -> None:
        """Check the kind of the first frame.

        Raises:
            CameraError: The camera delivers no 8-bit RGB images, such as a depth camera.
        """
        pixels = self._camera.latest().pixels
        if kind_of(pixels.shape, pixels.dtype) is not IMAGE:
            raise CameraError(
                f"camera {self.name!r}: expected {IMAGE.text}, found {pixels.shape} {pixels.dtype}; let its class make "
                "three channels of 8 bits, or give the numbers as a sensor"
            )

    def look(self, now_ns: int) -> StopReason | None:
        """Store the newest frame in `pixels` and its fault in `fault`, and return the fault.

        After a frame of another size, `pixels` keeps the last valid one, shape (height, width, 3).
        """
        frame = self._camera.latest()
        self.fault = self._judge(frame, now_ns)
        if self.fault is not StopReason.CAMERA_WRONG_SIZE:
            self.pixels, self.stamp_ns = frame.pixels, frame.stamp_ns
        return self.fault

    def _judge(self, frame: Frame, now_ns: int) -> StopReason | None:
        if frame.pixels.shape != self.pixels.shape or frame.pixels.dtype != self.pixels.dtype:
            return StopReason.CAMERA_WRONG_SIZE
        if self._limits is None:
            return None
        if frame.counter != self._counter:
            self._counter = frame.counter
            self._new.heard(now_ns)
            self._compare(frame.pixels)
        # A stamp from the future is from another clock, and is as invalid as an old one.
        if abs(now_ns - frame.stamp_ns) > self._limits.max_age_s * 1e9 or not self._new.is_fresh(now_ns):
            return StopReason.CAMERA_STALE
        if self._limits.max_same_frames is not None and self._same >= self._limits.max_same_frames:
            return StopReason.CAMERA_FROZEN
        return None

    def _compare(self, pixels: NDArray[np.uint8]) -> None:
        if self._limits is not None and self._limits.max_same_frames is not None:
            checksum = zlib.crc32(np.ascontiguousarray(pixels).data)
            self._same = self._same + 1 if checksum == self._checksum else 0
            self._checksum = checksum

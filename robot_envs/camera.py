"""The contract of a camera: return the latest frame without blocking.

A camera is one file here, or in a package of the user's own. A view in a YAML file of `configs/camera/` names its class
as `entry_point`. A view without one uses the robot's own camera class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from steadyhand.runtime.ranges import expect_at_least, expect_within

__all__ = ["WHOLE", "Camera", "CameraError", "Crop", "Frame", "ViewConfig"]

ROUNDING = 1e-9


class CameraError(RuntimeError):
    """Error of a camera that is missing or cannot deliver pictures."""


@dataclass(frozen=True)
class Crop:
    """The part of a camera's picture that its frames show, in shares of the picture's size.

    Attributes:
        left: Distance from the picture's left edge to the left edge of the part.
        top: Distance from the picture's upper edge to the upper edge of the part.
        width: Width of the part.
        height: Height of the part.
    """

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0

    def __post_init__(self) -> None:
        for start, size in ((self.left, self.width), (self.top, self.height)):
            if not (start >= 0.0 and size > 0.0 and start + size <= 1.0 + ROUNDING):
                raise ValueError(f"expected a part of the picture, shares within [0, 1], found {self}")

    @property
    def seen_from(self) -> str:
        """Frame name for the schema. It contains the crop, because another crop is another quantity."""
        if self == WHOLE:
            return "camera"
        return f"camera, crop {self.left:g} {self.top:g} {self.width:g} {self.height:g}"

    def cut(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return this part of a picture (h, w, 3), a view of at least one pixel."""
        return pixels[self.spans(*pixels.shape[:2])]

    def spans(self, height: int, width: int) -> tuple[slice, slice]:
        """Return the rows and the columns of this part in a picture of `height` x `width` pixels."""
        return _span(self.top, self.height, height), _span(self.left, self.width, width)


WHOLE = Crop()


@dataclass(frozen=True)
class ViewConfig:
    """Settings of every view; a camera class may add its own.

    Attributes:
        height: Height of a frame [pixels].
        width: Width of a frame [pixels].
        crop: The part of the camera's picture that a frame shows.
        latency_s: Time from the exposure of a frame to its stamp; `steadyhand calibrate latency` measures it. Above 0,
            the observation's pose, twist and gripper are those of the exposure (`robot_envs/state_history.py`).
    """

    height: int
    width: int
    crop: Crop = WHOLE
    latency_s: float = 0.0

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "height", "width")
        expect_within(self, 0.0, 1.0, "latency_s")


@dataclass(frozen=True)
class Frame:
    """One picture.

    Attributes:
        pixels: RGB. Shape (height, width, 3); uint8.
        stamp_ns: Local monotonic receive time [ns].
        counter: Increases by one with every new picture; if it does not change, the camera is frozen.
    """

    pixels: NDArray[np.uint8]
    stamp_ns: int
    counter: int


class Camera(ABC):
    """A source of frames that never blocks the control loop.

    The class is constructed from its settings, the view's name, and the world in which the robot is simulated. For a
    real robot the world is None.

    Attributes:
        settings_type: The dataclass that a view is read into, such as `ViewConfig`.
        name: Name of the view; its key in the observation.
        height: Height of a frame [pixels].
        width: Width of a frame [pixels].
        crop: The part of the camera's picture that a frame shows.
    """

    settings_type: ClassVar[type[Any]]
    name: str
    height: int
    width: int
    crop: Crop

    @abstractmethod
    def connect(self) -> None:
        """Open the camera. Raises CameraError when there is none."""

    @abstractmethod
    def latest(self) -> Frame:
        """Return the newest frame; never wait for the next one."""

    @abstractmethod
    def close(self) -> None:
        """Close the camera."""


def _span(start: float, share: float, size: int) -> slice:
    first = min(round(start * size), size - 1)
    return slice(first, max(round((start + share) * size), first + 1))

"""The contract every camera fulfils: hand over the latest frame, at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """One picture.

    Attributes:
        pixels: RGB. Shape (height, width, 3); uint8.
        stamp_ns: Local monotonic receive time [ns].
        counter: Rises by one with every new picture of the camera; a counter that stands still is a frozen camera.
    """

    pixels: NDArray[np.uint8]
    stamp_ns: int
    counter: int


class Camera(Protocol):
    """A source of frames that never blocks the control loop."""

    name: str
    height: int
    width: int

    def connect(self) -> None:
        """Open the camera. Raises RuntimeError when there is none."""

    def latest(self) -> Frame:
        """The newest frame; never waits for the next one."""

    def close(self) -> None:
        """Let go of the camera."""

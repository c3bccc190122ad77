"""The newest camera pictures, taken from the loop by reference and encoded elsewhere."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, NamedTuple

from numpy.typing import NDArray
from PIL import Image

from steadyhand.runtime.observation_kinds import IMAGE, kind_of

__all__ = ["Picture", "Pictures"]


class Picture(NamedTuple):
    """One encoded picture."""

    number: int  # of the observation that it belongs to
    taken_ns: int  # monotonic time at which the loop delivered it
    jpeg: bytes


class Pictures:
    """Keeps the newest observation; one other thread encodes its pictures.

    `put` stores one reference, so the control loop pays for nothing else. A picture is encoded once for all pages, and
    only when a page asks for it.

    Args:
        quality: Quality of the JPEG pictures, 1 to 95.
    """

    def __init__(self, quality: int) -> None:
        self._quality = quality
        # Number, time and observation are one reference, replaced as a whole.
        self._newest: tuple[int, int, Mapping[str, NDArray[Any]]] = (0, 0, {})
        self._encoded: dict[str, Picture] = {}

    def put(self, observation: Mapping[str, NDArray[Any]], now_ns: int) -> None:
        """Take the newest observation, on the control loop's thread."""
        self._newest = self._newest[0] + 1, now_ns, observation

    @property
    def number(self) -> int:
        """Number of the newest observation; 0 = there is none."""
        return self._newest[0]

    def names(self) -> tuple[str, ...]:
        """Return the names of the views."""
        return tuple(name for name, values in self._newest[2].items() if kind_of(values.shape, values.dtype) is IMAGE)

    def encode(self) -> dict[str, Picture]:
        """Return every view's newest picture, on the encoding thread."""
        number, taken_ns, observation = self._newest
        for name in self.names():
            known = self._encoded.get(name)
            if name in observation and (known is None or known.number != number):
                self._encoded[name] = Picture(number, taken_ns, _jpeg(observation[name], self._quality))
        return self._encoded


def _jpeg(pixels: NDArray[Any], quality: int) -> bytes:
    """Encode RGB pixels (height, width, 3) uint8."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()

"""Pictures of a foreign observation as (height, width, 3) uint8."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from steadyhand.robot_envs.gym_fields import ObservationError, SpaceError, check_shape

__all__ = ["Picture", "picture_layout"]

SMALLEST_SIDE = 31  # pixels; no encoder supports a smaller picture
GRID_SIDE = 8  # a smaller array of integers is a grid, such as a board, and no picture
CHANNELS = (1, 3)
# Supported bounds of a picture whose values are not bytes; other ranges cannot be converted to 8 bits.
PICTURE_RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))
BYTES = (0.0, 255.0)
TOLERANCE = 0.01  # share of a picture's range by which rounding and resampling may exceed it


class Picture:
    """A picture as (height, width, 3) uint8: transposed, scaled and repeated to three channels where necessary."""

    def __init__(self, box: spaces.Box, axes: tuple[int, ...], bounds: tuple[float, float]) -> None:
        self._shape, self._axes, self._bounds = box.shape, axes, bounds
        self._is_bytes = box.dtype == np.uint8
        self._squeezed = _without_leading_ones(box.shape)
        height, width = (self._squeezed[axis] for axis in axes[:2])
        self._channels = self._squeezed[axes[2]] if len(axes) == 3 else 1
        whole = self._is_bytes and self._channels == CHANNELS[-1]
        low, high = (float(box.low.min()), float(box.high.max())) if whole else BYTES
        self._sides = (height, width)
        self.space: spaces.Space[Any] = spaces.Box(int(low), int(high), (height, width, 3), np.uint8)
        self.scale: tuple[float, ...] = ()

    def read(self, value: Any) -> NDArray[Any]:
        """Return the picture, (height, width, 3) uint8, always as a copy of the environment's buffer."""
        array = np.asarray(value)
        check_shape(array, self._shape)
        picture = self._as_bytes(array).reshape(self._squeezed).transpose(self._axes)
        if self._channels == 1:
            picture = np.repeat(picture.reshape((*self._sides, 1)), CHANNELS[-1], axis=2)
        return np.array(picture, order="C")

    def strays(self, read: NDArray[Any]) -> bool:
        """Return False: `read` rejects values outside the space."""
        return False

    def _as_bytes(self, array: NDArray[Any]) -> NDArray[Any]:
        if array.dtype == np.uint8 and self._bounds == BYTES:
            return array
        if array.dtype.kind not in ("iu" if self._is_bytes else "iuf"):
            raise ObservationError(
                f"expected a picture of {'uint8' if self._is_bytes else 'numbers'} as its space "
                f"says, found {array.dtype}; convert it in the environment"
            )
        low, high = self._bounds
        slack = 0.0 if self._is_bytes else TOLERANCE * (high - low)
        if not ((array >= low - slack) & (array <= high + slack)).all():  # False for NaN
            raise ObservationError(
                f"expected a picture within [{low:g}, {high:g}] as its space says, found values from "
                f"{array.min():g} to {array.max():g}; correct the space or the picture"
            )
        scaled = (array.astype(np.float32) - low) * (BYTES[1] / (high - low))
        return np.asarray(np.clip(np.rint(scaled), *BYTES).astype(np.uint8))


def picture_layout(box: spaces.Box) -> tuple[tuple[int, ...], tuple[float, float]] | None:
    """Return the axes (height, width[, channel]) of a picture and the bounds of its values; None for numbers.

    Raises:
        SpaceError: The box has a picture's shape, but the log cannot store it as a picture.
    """
    shape = _without_leading_ones(box.shape)
    wide = sum(side >= SMALLEST_SIDE for side in shape)
    if wide < 2:
        small = box.dtype == np.uint8 and len(shape) == 3 and shape[2] == CHANNELS[-1]
        if not small and _is_small_grey(box, shape):
            raise SpaceError(
                f"expected a picture with sides of at least {SMALLEST_SIDE} pixels, found {shape} {box.dtype}; "
                "enlarge it, or flatten it to (n,) if these are numbers for a network"
            )
        return ((0, 1, 2), BYTES) if small else None
    if len(shape) == 2:
        axes: tuple[int, ...] | None = (0, 1)
    elif len(shape) == 3 and shape[2] in CHANNELS:
        axes = (0, 1, 2)
    elif len(shape) == 3 and shape[0] in CHANNELS:
        axes = (1, 2, 0)
    else:
        axes = None
    if axes is None:
        raise SpaceError(_no_picture(shape))
    bounds = _bounds(box)
    if bounds is None:
        raise SpaceError(
            f"expected a picture of uint8, or of numbers within [0, 1], [-1, 1] or [0, 255], found {box.dtype} within "
            f"[{box.low.min():g}, {box.high.max():g}] of shape {box.shape}; scale it to 8 bits in the environment, "
            "or flatten it to (n,) if these are numbers for a network"
        )
    return axes, bounds


def _is_small_grey(box: spaces.Box, shape: tuple[int, ...]) -> bool:
    """Return whether an array of bytes or 16-bit numbers has the shape of a small picture with one channel."""
    sides = [side for side in shape if side > 1]
    return box.dtype in (np.uint8, np.uint16) and len(sides) == 2 and min(sides) >= GRID_SIDE


def _no_picture(shape: tuple[int, ...]) -> str:
    expected = "expected one picture (height, width, 1 or 3), or one of those channels first"
    if len(shape) == 3 and shape[2] == 4:
        return f"{expected}, found 4 channels {shape}; give the colours alone, or take a frame stack away"
    stacked = shape[0] if len(shape) > 3 or shape[0] < shape[2] else max(shape[2] // CHANNELS[-1], 2)
    return (
        f"{expected}, found a stack {shape}; take the frame stack away, the log keeps each frame once, "
        f"and set policy.obs_horizon={stacked} instead"
    )


def _bounds(box: spaces.Box) -> tuple[float, float] | None:
    if box.dtype == np.uint8:
        return BYTES
    low, high = (np.unique(bound.astype(np.float64)) for bound in (box.low, box.high))
    if len(low) != 1 or len(high) != 1:
        return None
    found = (float(low[0]), float(high[0]))
    return found if found in PICTURE_RANGES else None


def _without_leading_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of the single picture in a batch of one."""
    while len(shape) > 3 and shape[0] == 1:
        shape = shape[1:]
    return shape

"""Depth images as RGB bytes, because an observation holds images (height, width, 3) uint8 alone.

Two encodings, for a depth image in units of the sensor, where 0 means that a pixel has no depth:

- `depth_range`: grey. 0 = no depth, 1 = `near_m` and nearer, 255 = `far_m` and farther, linear between them.
- `depth_bytes`: lossless. Red is the high byte, green the low byte, blue 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["depth_from_bytes", "depth_to_bytes", "depth_to_range"]

STEPS = 254  # between the values 1 and 255


def depth_to_range(depth: NDArray[np.uint16], unit_m: float, near_m: float, far_m: float) -> NDArray[np.uint8]:
    """Return the grey encoding of a depth image.

    Args:
        depth: Depth along the optical axis. Shape (height, width); in units of `unit_m`; 0 = none.
        unit_m: Unit of the depth image [m].
        near_m: Depth of the value 1 [m].
        far_m: Depth of the value 255 [m].

    Returns:
        Shape (height, width, 3). A step is (`far_m` - `near_m`) / 254.
    """
    share = np.clip((depth * np.float32(unit_m) - near_m) / (far_m - near_m), 0.0, 1.0)
    grey = np.where(depth == 0, 0, 1 + np.rint(STEPS * share)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def depth_to_bytes(depth: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return the lossless encoding (height, width, 3) of a depth image (height, width)."""
    high, low = (depth >> 8).astype(np.uint8), (depth & 0xFF).astype(np.uint8)
    return np.stack([high, low, np.zeros_like(high)], axis=2)


def depth_from_bytes(pixels: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return the depth image (height, width) of a lossless encoding (height, width, 3)."""
    return np.asarray(pixels[..., 0].astype(np.uint16) << 8 | pixels[..., 1], np.uint16)

"""The motion that a series of pictures shows, as a few numbers for each picture, without a marker or a camera model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import Array

__all__ = ["motion_channels"]

SIDE = 48  # pixels: enough for where things are


def motion_channels(pictures: NDArray[np.uint8], n_channels: int) -> Array:
    """Return the coordinates of the pictures along their main directions of change (principal components).

    A small motion of the tool moves the picture along a smooth curve in the space of pictures, and its coordinates
    follow the motion. That holds for a camera at the wrist, which sees everything shift, and for one beside the cell,
    which sees one thing move before a background at rest.

    Args:
        pictures: Shape (n, height, width, 3); uint8.
        n_channels: Number of directions; fewer are returned of fewer pictures.

    Returns:
        Shape (n, n_channels).
    """
    small = _shrunk(pictures.astype(np.float32).mean(axis=3))
    rows = small.reshape(len(small), -1).astype(np.float64)
    rows -= rows.mean(axis=0)
    # The covariance over pictures: n is a few hundred, the number of pixels a few thousand.
    values, vectors = np.linalg.eigh(rows @ rows.T)
    order = np.argsort(-values)[:n_channels]
    channels: Array = vectors[:, order] * np.sqrt(np.maximum(values[order], 0.0))
    return channels


def _shrunk(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return grey pictures (n, h, w) as means over blocks, at most `SIDE` wide and high."""
    _, height, width = grey.shape
    block = max(1, -(-max(height, width) // SIDE))
    rows, columns = max(height // block, 1), max(width // block, 1)
    cut = grey[:, : rows * block, : columns * block]
    if height < block or width < block:  # thinner than a block
        return grey
    shrunk: NDArray[np.float32] = cut.reshape(len(grey), rows, block, columns, block).mean(axis=(2, 4))
    return shrunk

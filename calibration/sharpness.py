"""Sharpness of a board's picture: the width of its markers' edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import Array

__all__ = ["edge_width", "sampled"]

REACH = 0.12  # of a marker's side, to either side of the edge: its black border is about 0.14 wide
SAMPLES = 41
ALONG = np.array([0.35, 0.5, 0.65])  # places of the profiles along the edge


def edge_width(shades: NDArray[np.uint8], markers: Array) -> float:
    """Return the median width of the outer edges of markers [px].

    The width of one edge is its contrast over its steepest slope, across the edge. A sharp edge is 1 to 2 px wide. The
    width of a blurred one is limited by the profile's length, 0.24 sides of a marker.

    Args:
        shades: The grey picture (h, w).
        markers: Corners of the markers (m, 4, 2), m >= 1 [px].
    """
    starts = markers.reshape(-1, 2)
    edges = (np.roll(markers, -1, axis=1) - markers).reshape(-1, 2)
    across = np.stack([-edges[:, 1], edges[:, 0]], axis=-1)
    offsets = np.linspace(-REACH, REACH, SAMPLES)
    centres = starts[:, None] + ALONG[:, None] * edges[:, None]  # (edges, profiles, 2)
    places = centres[:, :, None] + offsets[:, None] * across[:, None, None]  # (edges, profiles, samples, 2)
    profile = sampled(shades, places).mean(axis=1)
    step_px = np.linalg.norm(edges, axis=1) * (offsets[1] - offsets[0])
    slope = np.abs(np.diff(profile, axis=1)).max(axis=1) / step_px
    return float(np.median(np.ptp(profile, axis=1) / np.maximum(slope, 1e-9)))


def sampled(shades: NDArray[np.generic], places: Array) -> Array:
    """Return the bilinear brightness (...) of a grey picture (h, w) at places (..., 2), column and row [px]."""
    height, width = shades.shape
    column = np.clip(places[..., 0], 0.0, width - 1.001)
    row = np.clip(places[..., 1], 0.0, height - 1.001)
    left, top = column.astype(int), row.astype(int)
    right, down = column - left, row - top
    shade = shades.astype(np.float64)
    upper = shade[top, left] * (1.0 - right) + shade[top, left + 1] * right
    lower = shade[top + 1, left] * (1.0 - right) + shade[top + 1, left + 1] * right
    found: Array = upper * (1.0 - down) + lower * down
    return found

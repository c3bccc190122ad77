"""The region in which the tool and its part must stay: a box, and a cone of orientations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steadyhand.robot_envs.frames import Array

__all__ = ["Excess", "Extent", "Region"]

Row = Sequence[float]
Excess = tuple[float, float]


@dataclass(frozen=True)
class Extent:
    """A box around the tool and the part that it holds, in the tool frame, relative to the tool centre point.

    Attributes:
        low_m: Lower corner. Shape (3,).
        high_m: Upper corner. Shape (3,). If both are zero, only the tool centre point is kept inside.
    """

    low_m: tuple[float, ...]
    high_m: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.low_m) != 3 or len(self.high_m) != 3:
            raise ValueError("low_m and high_m: expected three numbers each, x y z in metres")
        if not all(-1.0 < low <= 0.0 <= high < 1.0 for low, high in zip(self.low_m, self.high_m, strict=True)):
            raise ValueError(
                f"expected low_m <= 0 <= high_m within 1 m of the tool centre point, found {self.low_m}, {self.high_m}"
            )


class Region:
    """A box in the base frame that encloses every point of the tool's extent, and a largest tilt.

    Args:
        low_m: Lower corner of the box. Shape (3,).
        high_m: Upper corner. Shape (3,).
        nominal_quat: Orientation from which the tilt is measured, xyzw. Shape (4,).
        max_tilt_rad: Largest angle from the nominal orientation.
        extent: Extent of the tool.
    """

    def __init__(self, low_m: Row, high_m: Row, nominal_quat: Row, max_tilt_rad: float, extent: Extent) -> None:
        self.max_tilt_rad = max_tilt_rad
        self._low, self._high = tuple(map(float, low_m)), tuple(map(float, high_m))
        self._nominal = tuple(map(float, nominal_quat))
        self._middle = tuple(0.5 * (low + high) for low, high in zip(extent.low_m, extent.high_m, strict=True))
        self._half = tuple(0.5 * (high - low) for low, high in zip(extent.low_m, extent.high_m, strict=True))
        self._is_point = not any(self._half)
        farthest = [max(-low, high) for low, high in zip(extent.low_m, extent.high_m, strict=True)]
        self.radius_m = math.sqrt(sum(x * x for x in farthest))

    def bounds(self, quat: Row) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the lowest and the highest position of the tool centre point for an orientation xyzw. Shapes (3,)."""
        if self._is_point:
            return self._low, self._high
        x, y, z, w = quat
        rows = (
            (1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - z * w), 2.0 * (x * z + y * w)),
            (2.0 * (x * y + z * w), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - x * w)),
            (2.0 * (x * z - y * w), 2.0 * (y * z + x * w), 1.0 - 2.0 * (x * x + y * y)),
        )
        (mx, my, mz), (hx, hy, hz) = self._middle, self._half
        low, high = [], []
        for (a, b, c), lowest, highest in zip(rows, self._low, self._high, strict=True):
            middle, half = a * mx + b * my + c * mz, abs(a) * hx + abs(b) * hy + abs(c) * hz
            low.append(lowest - middle + half)
            high.append(highest - middle - half)
        return tuple(low), tuple(high)

    def clip(self, position: Array, quat: Array) -> Array:
        """Return the nearest positions with the whole tool inside the box. Shapes (..., 3) and (..., 4)."""
        if self._is_point:
            return np.clip(position, self._low, self._high)
        flat, turns = position.reshape(-1, 3), quat.reshape(-1, 4)
        found = [np.clip(at, *self.bounds(turn.tolist())) for at, turn in zip(flat, turns, strict=True)]
        return np.array(found).reshape(position.shape)

    def tilt(self, quat: Row) -> float:
        """Return the angle between an orientation xyzw and the nominal one [rad]."""
        nx, ny, nz, nw = self._nominal
        x, y, z, w = quat
        # The vector part of nominal^-1 * quat: exact for small angles, where arccos is not.
        vx = nw * x - nx * w - ny * z + nz * y
        vy = nw * y + nx * z - ny * w - nz * x
        vz = nw * z - nx * y + ny * x - nz * w
        return 2.0 * math.atan2(math.sqrt(vx * vx + vy * vy + vz * vz), abs(nx * x + ny * y + nz * z + nw * w))

    def excess(self, position: Row, quat: Row) -> Excess:
        """Return the largest distance outside the box [m] and angle beyond the tilt limit [rad]; negative inside."""
        low, high = self.bounds(quat)
        outside = max(
            low[0] - position[0], position[0] - high[0],
            low[1] - position[1], position[1] - high[1],
            low[2] - position[2], position[2] - high[2],
        )  # fmt: skip
        return outside, self.tilt(quat) - self.max_tilt_rad

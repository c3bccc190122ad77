"""The rule that keeps two arms apart: capsules around each tool, and the distance between those of two arms.

A capsule is all points within a radius of a segment. The distance of two segments follows Ericson, Real-Time Collision
Detection (2005), section 5.1.9. The numbers are plain tuples, for which numpy is slower than Python.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.ranges import expect, expect_above, expect_length, expect_within

__all__ = ["ApartLimits", "Capsule", "KeepApart", "Nearest"]

_LONGEST_M = 1.0
_PARALLEL = 1e-12
Vector = tuple[float, ...]
Segment = tuple[Vector, Vector]


@dataclass(frozen=True)
class Capsule:
    """A capsule that moves with the tool.

    Attributes:
        from_m: One end of its segment, tool frame. Shape (3,).
        to_m: The other end. Shape (3,).
        radius_m: Distance from the segment to the surface.
    """

    from_m: tuple[float, ...]
    to_m: tuple[float, ...]
    radius_m: float

    def __post_init__(self) -> None:
        expect_length(self, 3, "from_m", "to_m")
        expect_within(self, -_LONGEST_M, _LONGEST_M, "from_m", "to_m", "radius_m")
        expect_above(self, 0.0, "radius_m")


@dataclass(frozen=True)
class ApartLimits:
    """Distances that two arms keep.

    Attributes:
        min_distance_m: Smallest distance between the shapes of the two arms at commanded poses.
        stop_distance_m: Smallest distance at measured poses, below which the robot is stopped. It is smaller, because
            an arm lags behind its command, or is pushed.
        shapes: Capsules around the tool of each arm, by name.
    """

    min_distance_m: float
    stop_distance_m: float
    shapes: dict[str, Capsule]

    def __post_init__(self) -> None:
        expect_within(self, 0.0, _LONGEST_M, "min_distance_m", "stop_distance_m")
        below = f"less than min_distance_m ({self.min_distance_m:g})"
        expect(self.stop_distance_m < self.min_distance_m, "stop_distance_m", below, self.stop_distance_m)
        expect(bool(self.shapes), "shapes", "at least one capsule", self.shapes)


class Nearest(NamedTuple):
    """The nearest points of the shapes of two arms.

    Attributes:
        gap_m: Distance between the surfaces; negative where they overlap.
        direction: Unit vector from the first arm to the second, base frame. Shape (3,).
    """

    gap_m: float
    direction: Vector


class KeepApart:
    """The shapes of two arms, and the distance between them.

    Args:
        limits: Shapes and distances.

    Attributes:
        radius_m: Largest distance of a point of the shapes from the tool centre point.
    """

    def __init__(self, limits: ApartLimits) -> None:
        self.limits = limits
        self._capsules = [(shape.from_m, shape.to_m, shape.radius_m) for shape in limits.shapes.values()]
        self.radius_m = max(max(_size(a), _size(b)) + radius for a, b, radius in self._capsules)

    def nearest(self, first: Sequence[float], second: Sequence[float]) -> Nearest:
        """Return the nearest points of two arms.

        Args:
            first: Pose of the first tool, base frame, position [m] and quaternion xyzw. Shape (7,).
            second: Pose of the second tool.
        """
        ours, theirs = self._placed(first), self._placed(second)
        found = Nearest(math.inf, (1.0, 0.0, 0.0))
        for segment, radius in ours:
            for other, other_radius in theirs:
                way = _between(segment, other)
                distance = _size(way)
                gap = distance - radius - other_radius
                if gap < found.gap_m:
                    away = tuple(x / distance for x in way) if distance > 0.0 else found.direction
                    found = Nearest(gap, away)
        return found

    def gap_m(self, tcp_pose: Array) -> float:
        """Return the distance between the shapes of two arms [m]. `tcp_pose`: base frame, shape (2, 7)."""
        first, second = tcp_pose.tolist()
        return self.nearest(first, second).gap_m

    def _placed(self, pose: Sequence[float]) -> list[tuple[Segment, float]]:
        px, py, pz, x, y, z, w = pose
        ax, ay, az = 1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - z * w), 2.0 * (x * z + y * w)
        bx, by, bz = 2.0 * (x * y + z * w), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - x * w)
        cx, cy, cz = 2.0 * (x * z - y * w), 2.0 * (y * z + x * w), 1.0 - 2.0 * (x * x + y * y)

        def at(point: Vector) -> Vector:
            u, v, s = point
            return (
                px + ax * u + ay * v + az * s,
                py + bx * u + by * v + bz * s,
                pz + cx * u + cy * v + cz * s,
            )

        return [((at(start), at(end)), radius) for start, end, radius in self._capsules]


def _between(first: Segment, second: Segment) -> Vector:
    """Return the shortest vector from a segment to another. Shape (3,)."""
    (p1, q1), (p2, q2) = first, second
    d1, d2, r = _minus(q1, p1), _minus(q2, p2), _minus(p1, p2)
    a, e, f = _dot(d1, d1), _dot(d2, d2), _dot(d2, r)
    c, b = _dot(d1, r), _dot(d1, d2)
    s = t = 0.0
    if a <= _PARALLEL and e > _PARALLEL:
        t = _clamped(f / e)
    elif a > _PARALLEL and e <= _PARALLEL:
        s = _clamped(-c / a)
    elif a > _PARALLEL:
        denominator = a * e - b * b
        s = _clamped((b * f - c * e) / denominator) if denominator > _PARALLEL * a * e else 0.0
        t = (b * s + f) / e
        if t < 0.0:
            s, t = _clamped(-c / a), 0.0
        elif t > 1.0:
            s, t = _clamped((b - c) / a), 1.0
    return tuple(y + t * v - x - s * u for x, u, y, v in zip(p1, d1, p2, d2, strict=True))


def _minus(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _size(a: Vector) -> float:
    return math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2])


def _clamped(value: float) -> float:
    return min(max(value, 0.0), 1.0)

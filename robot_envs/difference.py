"""Speed of a quantity reported without one: the difference of the newest two readings over the time between them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from steadyhand.robot_envs.frames import Array, quat_inverse, quat_multiply, rotvec_from_quat

__all__ = ["Difference", "pose_difference"]

_NS = 1_000_000_000


class Difference:
    """Finite difference of the newest two readings; used by one thread.

    Args:
        size: Number of entries of the speed.
        minus: Function of two readings that returns the first minus the second. Shape (size,).
    """

    def __init__(self, size: int, minus: Callable[[Array, Array], Array] = np.subtract) -> None:
        self._minus = minus
        self._speed = np.zeros(size)
        self._before: tuple[Array, int] | None = None

    def at(self, reading: Array, stamp_ns: int) -> Array:
        """Return the speed at the newest reading; zero at the first. Shape (size,); the reading's unit per second.

        Args:
            reading: Angles or a pose, as `minus` takes them.
            stamp_ns: Receive time. A time that is already known changes nothing.
        """
        if self._before is None or stamp_ns > self._before[1]:
            if self._before is not None:
                before, before_ns = self._before
                self._speed = self._minus(reading, before) / ((stamp_ns - before_ns) / _NS)
            self._before = (reading.copy(), stamp_ns)
        return self._speed


def pose_difference(after: Array, before: Array) -> Array:
    """Return the difference of two poses (7,), [m] and xyzw: translation [m] and rotation vector [rad]. Shape (6,)."""
    turn = rotvec_from_quat(quat_multiply(after[3:], quat_inverse(before[3:])))
    return np.concatenate([after[:3] - before[:3], turn])

"""Range and speed limits of a gripper's commands, without ROS. Openings are between the fingers, in metres."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

__all__ = ["GripperLimits", "GripperStream"]

_NS = 1_000_000_000


@dataclass(frozen=True)
class GripperLimits:
    """Limits of a gripper's commands.

    Attributes:
        max_speed_m_s: Largest speed of the commanded opening.
        min_change_m: Smallest change of the wanted opening that causes a command, except at the ends of the range.
        min_period_s: Shortest time between two commands.
        retry_s: Time after which a failed command is sent again.
    """

    max_speed_m_s: float
    min_change_m: float
    min_period_s: float
    retry_s: float

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0.0:
                raise ValueError(f"{field.name}: expected a number above 0, found {getattr(self, field.name)}")


class GripperStream:
    """Conversion of the wanted openings of one gripper to its commands.

    A gripper without a speed in its command is moved to the wanted opening in steps, from the measured opening. A
    gripper with a speed in its command (``steps`` false) receives the wanted opening directly.

    Args:
        closed_m: Smallest opening.
        open_m: Largest opening.
        limits: Limits of the commands.
        steps: True if commands approach the wanted opening no faster than ``limits.max_speed_m_s``.
    """

    def __init__(self, closed_m: float, open_m: float, limits: GripperLimits, steps: bool) -> None:
        self.clamped = 0
        self._range_m = closed_m, open_m
        self._limits, self._steps = limits, steps
        self._measured_m: float | None = None
        self._wanted_m: float | None = None
        self._sent_m: float | None = None
        self._next_ns = 0

    def ask(self, opening_m: float) -> bool:
        """Set the wanted opening; an opening outside the range is clipped, and counted.

        Returns:
            True if the opening was inside the range.

        Raises:
            ValueError: The opening is not finite; the wanted opening is unchanged.
        """
        if not math.isfinite(opening_m):
            raise ValueError(f"gripper: expected a finite opening [m], found {opening_m}")
        self._wanted_m = self._clamp(opening_m)
        is_inside = self._wanted_m == opening_m
        self.clamped += not is_inside
        return is_inside

    def measured(self, opening_m: float) -> None:
        """Store a measured opening; one that is not finite is ignored."""
        if math.isfinite(opening_m):
            self._measured_m = opening_m

    def tick(self, now_ns: int) -> float | None:
        """Return the opening to send now; None = send nothing. Call this only while motion is allowed.

        Args:
            now_ns: Local monotonic time.
        """
        wanted, measured, sent = self._wanted_m, self._measured_m, self._sent_m
        if wanted is None or measured is None or now_ns < self._next_ns:
            return None
        # Do not send a gripper its present opening again: it would release its part and grip it again.
        before = measured if sent is None and not self._steps else sent
        if before is not None and not self._is_news(wanted, before):
            return None
        opening = wanted
        if self._steps:
            start = self._clamp(measured) if sent is None else sent
            way = self._limits.max_speed_m_s * self._limits.min_period_s
            opening = min(max(wanted, start - way), start + way)
        self._sent_m, self._next_ns = opening, now_ns + round(self._limits.min_period_s * _NS)
        return opening

    def forget(self) -> None:
        """Forget the last command, which was cancelled: the wanted opening is sent again, from the measured opening."""
        self._sent_m = None

    def restart(self) -> None:
        """Forget the last command and the wanted opening: nothing is sent before the next request."""
        self._wanted_m = self._sent_m = None

    def failed(self, now_ns: int) -> None:
        """Forget the last command, which failed, and wait before the next.

        Args:
            now_ns: Local monotonic time.
        """
        self._sent_m, self._next_ns = None, now_ns + round(self._limits.retry_s * _NS)

    def _clamp(self, opening_m: float) -> float:
        return min(max(opening_m, self._range_m[0]), self._range_m[1])

    def _is_news(self, wanted_m: float, before_m: float) -> bool:
        if wanted_m in self._range_m:
            return wanted_m != before_m
        return abs(wanted_m - before_m) >= self._limits.min_change_m

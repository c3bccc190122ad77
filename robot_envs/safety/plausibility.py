"""Plausibility check of every measured pose: it must be a valid pose that the arm can have reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.ranges import expect_above

__all__ = ["Plausibility", "PlausibleMotion"]

_NS = 1_000_000_000
_UNIT = 0.02  # tolerance for a driver's rounding; a quaternion farther from length 1 is invalid
_LONGEST_GAP_S = 0.1  # longest gap that counts as time to move; after a longer one the operator enables again


@dataclass(frozen=True)
class PlausibleMotion:
    """The fastest plausible motion of a measured pose. An arm that is pushed by hand is also slower.

    Attributes:
        max_speed_m_s: Largest speed of the tool centre point.
        max_angular_speed_rad_s: Largest angular speed of the tool.
        slack_m: Tolerance for noise of the position.
        slack_rad: Tolerance for noise of the orientation.
        max_rejected: Number of consecutive readings that are rejected before the robot is stopped.
    """

    max_speed_m_s: float
    max_angular_speed_rad_s: float
    slack_m: float
    slack_rad: float
    max_rejected: int

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "max_speed_m_s", "max_angular_speed_rad_s", "slack_m", "slack_rad", "max_rejected")


class Plausibility:
    """Check that accepts or rejects one source's poses. After a stop, `forget` restarts it from the next reading.

    A source that has rejected poses enough for a stop is believed again when as many readings in a row agree with each
    other, and with the last believed one: among many wrong readings, one may be near the arm by chance.

    Args:
        limits: Limits of the motion between two readings.
    """

    def __init__(self, limits: PlausibleMotion) -> None:
        self._limits = limits
        self.rejected = 0  # consecutive readings
        self.fault = ""
        self.forget()

    def forget(self) -> None:
        """Accept the next valid pose anywhere, because the operator has checked the arm, or moved it."""
        self._believed: tuple[Array, int] | None = None
        self._newest: tuple[Array, int] | None = None
        self._agreeing = 0  # consecutive readings, of which each agrees with the one before
        self.rejected, self.fault = 0, ""

    @property
    def is_fault(self) -> bool:
        """True if so many consecutive readings were rejected that the robot must stop."""
        return self.rejected >= self._limits.max_rejected

    def accepts(self, pose: Array, stamp_ns: int) -> bool:
        """Return whether a pose is plausible; if not, `fault` has the reason.

        Args:
            pose: Position [m] and quaternion xyzw of every arm, any leading axes. Shape (..., 7).
            stamp_ns: Receive time.
        """
        fault = self._objection(pose, stamp_ns, self._believed)
        if self.is_fault:
            is_pose = not self._objection(pose, stamp_ns, None)
            agrees = is_pose and not self._objection(pose, stamp_ns, self._newest)
            self._agreeing = self._agreeing + 1 if agrees else int(is_pose)
            self._newest = (pose.copy(), stamp_ns) if is_pose else None
            if not fault and self._agreeing < self._limits.max_rejected:
                fault = f"{self._agreeing} readings that agree, expected {self._limits.max_rejected} in a row"
        if fault:
            self.rejected, self.fault = self.rejected + 1, fault
            if not self.is_fault:
                self._newest, self._agreeing = None, 0
            return False
        self.rejected, self.fault = 0, ""
        self._believed = (pose.copy(), stamp_ns)
        return True

    def _objection(self, pose: Array, stamp_ns: int, before: tuple[Array, int] | None) -> str:
        """Return the reason against a pose that follows another; "" without one."""
        if not np.isfinite(pose).all():
            return "a number that is not finite"
        length = np.sqrt((pose[..., 3:] ** 2).sum(-1))
        if (np.abs(length - 1.0) > _UNIT).any():
            return f"a quaternion of length {float(length.max()):.3g}, expected 1"
        if before is None:
            return ""
        last, last_ns = before
        limits, elapsed_s = self._limits, min(max(stamp_ns - last_ns, 0) / _NS, _LONGEST_GAP_S)
        way = float(np.sqrt(((pose[..., :3] - last[..., :3]) ** 2).sum(-1)).max())
        if way > limits.slack_m + limits.max_speed_m_s * elapsed_s:
            return f"a step of {way:.3f} m in {elapsed_s:.3f} s"
        cosine = np.abs((pose[..., 3:] * last[..., 3:]).sum(-1)).clip(0.0, 1.0)
        turn = float(2.0 * np.arccos(cosine.min()))
        if turn > limits.slack_rad + limits.max_angular_speed_rad_s * elapsed_s:
            return f"a turn of {turn:.2f} rad in {elapsed_s:.3f} s"
        return ""

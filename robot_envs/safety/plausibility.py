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
        self._pose: Array | None = None
        self._stamp_ns = 0
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
        fault = self._objection(pose, stamp_ns)
        if fault:
            self.rejected, self.fault = self.rejected + 1, fault
            return False
        self.rejected, self.fault = 0, ""
        self._pose, self._stamp_ns = pose.copy(), stamp_ns
        return True

    def _objection(self, pose: Array, stamp_ns: int) -> str:
        if not np.isfinite(pose).all():
            return "a number that is not finite"
        length = np.sqrt((pose[..., 3:] ** 2).sum(-1))
        if (np.abs(length - 1.0) > _UNIT).any():
            return f"a quaternion of length {float(length.max()):.3g}, expected 1"
        if self._pose is None:
            return ""
        limits, elapsed_s = self._limits, min(max(stamp_ns - self._stamp_ns, 0) / _NS, _LONGEST_GAP_S)
        way = float(np.sqrt(((pose[..., :3] - self._pose[..., :3]) ** 2).sum(-1)).max())
        if way > limits.slack_m + limits.max_speed_m_s * elapsed_s:
            return f"a step of {way:.3f} m in {elapsed_s:.3f} s"
        cosine = np.abs((pose[..., 3:] * self._pose[..., 3:]).sum(-1)).clip(0.0, 1.0)
        turn = float(2.0 * np.arccos(cosine.min()))
        if turn > limits.slack_rad + limits.max_angular_speed_rad_s * elapsed_s:
            return f"a turn of {turn:.2f} rad in {elapsed_s:.3f} s"
        return ""

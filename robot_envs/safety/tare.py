"""The rule for taring a wrench: the tool must be free of contact and at rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.robot import RobotError
from steadyhand.runtime.ranges import expect_above

__all__ = ["TareError", "TareLimits", "mean_wrench"]


class TareError(RobotError):
    """Error of a wrench that may not be tared now; the message has the measured values and the remedy."""


@dataclass(frozen=True)
class TareLimits:
    """Bounds of a tare. They are small, because the tared wrench is added to every later force limit.

    Attributes:
        max_force_n: Largest force that may be tared: the tool's weight where the robot does not compensate it.
        max_torque_nm: Largest torque that may be tared.
        max_spread_n: Largest spread of the measured force while it is averaged.
    """

    max_force_n: float
    max_torque_nm: float
    max_spread_n: float

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "max_force_n", "max_torque_nm", "max_spread_n")


def mean_wrench(readings: Array, limits: TareLimits) -> Array:
    """Return the wrench to subtract from now on.

    Args:
        readings: Raw wrenches at rest, force [N] then torque [Nm], tool frame. Shape (n, 6), n >= 1.
        limits: Bounds of the tare.

    Returns:
        The mean wrench. Shape (6,).

    Raises:
        TareError: The tool is pressed, or the readings vary too much.
    """
    mean: Array = readings.mean(axis=0)
    force, torque = float(np.linalg.norm(mean[:3])), float(np.linalg.norm(mean[3:]))
    spread = float(np.ptp(readings[:, :3], axis=0).max())
    if not (force <= limits.max_force_n and torque <= limits.max_torque_nm):
        raise TareError(
            f"cannot tare: {force:.1f} N and {torque:.2f} Nm at rest, expected at most {limits.max_force_n:g} N and "
            f"{limits.max_torque_nm:g} Nm; free the tool, or set safety.tare for its weight"
        )
    if not spread <= limits.max_spread_n:
        raise TareError(
            f"cannot tare: the force varies by {spread:.1f} N at rest, expected at most {limits.max_spread_n:g} N; "
            "let the arm come to rest, or set safety.tare"
        )
    return mean

"""The two ends of a gripper's range, from readings after it was commanded open and closed several times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.ranges import expect_above, expect_at_least

__all__ = ["GripperEnds", "GripperSettings", "ends_from_readings"]


@dataclass(frozen=True)
class GripperSettings:
    """Numbers of the step.

    Attributes:
        cycles: Number of times that it opens and closes.
        settle_s: Time without motion after which it counts as arrived.
        settle_share: Motion within `settle_s` that counts as none, as a share of the expected range.
        timeout_s: Longest time of one motion.
        min_share: Least distance between the ends, as a share of the range that the configuration expects.
        max_spread_share: Largest spread of the readings at one end, as a share of the distance between the ends.
    """

    cycles: int
    settle_s: float
    settle_share: float
    timeout_s: float
    min_share: float
    max_spread_share: float

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "cycles")
        expect_above(self, 0.0, "settle_s", "settle_share", "timeout_s", "min_share", "max_spread_share")


@dataclass(frozen=True)
class GripperEnds:
    """The two ends; positions are in the unit of the readings.

    Attributes:
        open_position: Mean reading when open.
        closed_position: Mean reading when closed.
        spread: Largest distance of a reading from the mean of its end.
    """

    open_position: float
    closed_position: float
    spread: float


def ends_from_readings(
    opened: Array, closed: Array, expected_range: float, settings: GripperSettings, unit: str = "m"
) -> GripperEnds:
    """Return the ends.

    Args:
        opened: Readings after each command to open. Shape (n,).
        closed: Readings after each command to close. Shape (n,).
        expected_range: Distance between the ends that the configuration expects, in the same unit.
        settings: Bounds.
        unit: Unit of the readings, for messages.

    Raises:
        CalibrationError: The gripper does not move, moves too little, or does not repeat its ends.
    """
    ends = float(opened.mean()), float(closed.mean())
    travel = abs(ends[0] - ends[1])
    if not travel >= settings.min_share * abs(expected_range):
        raise CalibrationError(
            f"gripper: expected a travel of at least {settings.min_share * abs(expected_range):.4g} {unit}, found "
            f"{travel:.4g} {unit}; take out what it holds, and check its driver"
        )
    spread = float(max(np.abs(opened - ends[0]).max(), np.abs(closed - ends[1]).max()))
    if spread > settings.max_spread_share * travel:
        raise CalibrationError(
            f"gripper: expected ends that repeat within {settings.max_spread_share * travel:.4g} {unit}, found "
            f"{spread:.4g} {unit}; let nothing come between the fingers, and raise settle_s for a slow gripper"
        )
    return GripperEnds(ends[0], ends[1], spread)

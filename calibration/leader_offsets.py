"""Offsets of a leader's joints, from readings of the leader in a known pose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.ranges import expect, expect_above, expect_at_least

__all__ = ["LeaderOffsets", "LeaderSettings", "offsets_from_readings"]


@dataclass(frozen=True)
class LeaderSettings:
    """Numbers of the step.

    Attributes:
        joints_rad: Joints of the pose in which the person holds the leader; null = the robot's reset pose.
        wait_s: Time for the person to take the leader into the pose.
        read_s: Time for which it is read.
        poll_s: Time between two readings.
        least: Least number of readings.
        still_rad: Largest range of a joint's readings.
        round_rad: Angle whose multiples the offsets are, as the servos' horns have it; null = as measured.
        near_rad: Largest distance of a joint to the pose, with the offset that fits best.
    """

    joints_rad: tuple[float, ...] | None
    wait_s: float
    read_s: float
    poll_s: float
    least: int
    still_rad: float
    round_rad: float | None
    near_rad: float

    def __post_init__(self) -> None:
        expect_at_least(self, 0.0, "wait_s")
        expect_above(self, 0.0, "read_s", "poll_s", "still_rad", "round_rad", "near_rad")
        expect_at_least(self, 1, "least")
        if self.round_rad is not None:
            expect(self.near_rad < self.round_rad / 2, "near_rad", "less than half of round_rad", self.near_rad)


@dataclass(frozen=True)
class LeaderOffsets:
    """Result of the step. Every shape is (n_joints,).

    Attributes:
        offsets_rad: Position that the leader reports for each joint where the follower's joint is at 0.
        spread_rad: Range of each joint's readings.
        rest_rad: Distance of each joint to the pose, with these offsets.
    """

    offsets_rad: Array
    spread_rad: Array
    rest_rad: Array


def offsets_from_readings(
    readings: Array, signs: Sequence[int], offsets_rad: Sequence[float], pose_rad: Sequence[float], step: LeaderSettings
) -> LeaderOffsets:
    """Return the offsets with which the readings are the pose.

    Args:
        readings: Joints of the leader by the present offsets. Shape (n, n_joints); [rad].
        signs: 1 or -1 for each joint: a joint is `sign * (reported - offset)`.
        offsets_rad: The present offsets.
        pose_rad: Joints of the pose, in the follower's convention.
        step: Numbers of the step.

    Raises:
        CalibrationError: There are too few readings, the leader was moved, or it was not in the pose.
    """
    if len(pose_rad) != len(signs):
        raise CalibrationError(
            f"calibrate.joints_rad: expected {len(signs)} joints, as the leader has, found {len(pose_rad)}"
        )
    if len(readings) < step.least:
        raise CalibrationError(
            f"leader: expected at least {step.least} readings in {step.read_s:g} s, found {len(readings)}; "
            "check its wires or its driver, or raise calibrate.read_s"
        )
    spread = np.ptp(readings, axis=0)
    worst = int(spread.argmax())
    if spread[worst] > step.still_rad:
        raise CalibrationError(
            f"leader: expected every joint still within {step.still_rad:g} rad for {step.read_s:g} s, found joint "
            f"{worst + 1} moved by {spread[worst]:.3f} rad; hold the leader still, and start again"
        )
    sign = np.array(signs, np.float64)
    reported = np.array(offsets_rad) + sign * np.median(readings, axis=0)
    measured = reported - sign * np.array(pose_rad)
    if step.round_rad is None:
        return LeaderOffsets(measured, spread, np.zeros(len(signs)))
    offsets = np.round(measured / step.round_rad) * step.round_rad
    rest = sign * (measured - offsets)
    worst = int(np.abs(rest).argmax())
    if abs(rest[worst]) > step.near_rad:
        raise CalibrationError(
            f"leader: expected joint {worst + 1} within {step.near_rad:g} rad of the pose, found {rest[worst]:+.2f} "
            "rad beside the nearest offset; hold the leader in the pose, correct device.source.signs, or give "
            "calibrate.round_rad=null for horns that fit at any angle"
        )
    return LeaderOffsets(offsets, spread, rest)

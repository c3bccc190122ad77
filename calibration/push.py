"""The sign of a wrench, from one push by hand in a known direction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.ranges import expect_above, expect_within

__all__ = ["Push", "PushSettings", "sign_of_push"]


@dataclass(frozen=True)
class PushSettings:
    """Bounds of a push.

    Attributes:
        min_force_n: Least force of the push.
        max_angle_rad: Largest angle between the push and its direction, or the opposite one.
    """

    min_force_n: float
    max_angle_rad: float

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "min_force_n")
        expect_within(self, 0.0, math.pi / 2, "max_angle_rad")


@dataclass(frozen=True)
class Push:
    """A push.

    Attributes:
        sign: 1 = the wrench is that of the environment on the tool; -1 = the opposite.
        force_n: Largest force.
        angle_rad: Angle between the measured force, times the sign, and the direction pushed.
    """

    sign: Literal[1, -1]
    force_n: float
    angle_rad: float


def sign_of_push(forces: Array, direction: Array, settings: PushSettings) -> Push:
    """Return the sign of the force that a person pushed with.

    Args:
        forces: Measured forces during the push less those before it, base frame. Shape (n, 3); [N].
        direction: Direction in which the person pushed the tool, base frame. Shape (3,).
        settings: Bounds.

    Raises:
        CalibrationError: The push was too weak, or in no clear direction.
    """
    sizes = np.linalg.norm(forces, axis=1)
    peak = float(sizes.max()) if len(sizes) else 0.0
    if peak < settings.min_force_n:
        raise CalibrationError(
            f"wrench: expected a push of at least {settings.min_force_n:g} N, found {peak:.1f} N; push harder"
        )
    mean = forces[sizes >= 0.5 * peak].mean(axis=0)
    share = float(mean @ direction) / (float(np.linalg.norm(mean)) * float(np.linalg.norm(direction)))
    angle = math.acos(min(abs(share), 1.0))
    if angle > settings.max_angle_rad:
        raise CalibrationError(
            f"wrench: expected a push within {settings.max_angle_rad:.2f} rad of {_text(direction)}, found it at "
            f"{angle:.2f} rad; push along that axis of the base, and check the frame of the wrench"
        )
    return Push(1 if share > 0.0 else -1, peak, angle)


def _text(direction: Array) -> str:
    axis = int(np.abs(direction).argmax())
    return f"{'+' if direction[axis] > 0 else '-'}{'xyz'[axis]}"

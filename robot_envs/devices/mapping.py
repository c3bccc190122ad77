"""Mapping from a device's raw axes and buttons to a twist, the gripper and named events."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steadyhand.runtime.ranges import expect, expect_length

__all__ = [
    "AGAIN",
    "CLOSE",
    "FAILURE",
    "OPEN",
    "PARK",
    "REQUESTS",
    "RESUME",
    "STOP",
    "SUCCESS",
    "MappingConfig",
    "check_button_names",
    "check_request_names",
    "gripper_wish",
]

CLOSE, OPEN = "close", "open"
# A person's requests, which move nothing: motion is enabled, stopped or parked, and the episode is labelled or ended.
RESUME, STOP, PARK, SUCCESS, FAILURE, AGAIN = "resume", "stop", "park", "success", "failure", "again"
REQUESTS = (RESUME, STOP, PARK, SUCCESS, FAILURE, AGAIN)
UNUSED = -1


@dataclass(frozen=True)
class MappingConfig:
    """Meaning of axes and buttons.

    Attributes:
        axes: Raw axis behind each entry of the twist (x, y, z, then rotation about x, y, z); -1 = none.
        scale: Twist at full deflection, per entry; a negative value inverts the axis.
        full_scale: Raw value at full deflection.
        dead_zone: Share of the deflection that counts as rest, in [0, 1).
        buttons: The buttons that have to be down together, by their function: close, open, resume, stop, park,
            success, failure, again.
    """

    axes: tuple[int, ...]
    scale: tuple[float, ...]
    full_scale: float
    dead_zone: float
    buttons: dict[str, tuple[int, ...]]

    def __post_init__(self) -> None:
        expect_length(self, 6, "axes", "scale")
        expect(min(self.axes) >= UNUSED, "axes", "numbers from 0, or -1 for none", self.axes)
        expect(0.0 < self.full_scale < math.inf, "full_scale", "a finite number above 0", self.full_scale)
        expect(0.0 <= self.dead_zone < 1.0, "dead_zone", "a share in [0, 1)", self.dead_zone)
        check_button_names(self.buttons)

    @property
    def mapped_axes(self) -> tuple[int, ...]:
        """The mapped raw axes, in ascending order."""
        return tuple(sorted({axis for axis in self.axes if axis > UNUSED}))

    def objection(self, raw: Sequence[float]) -> str:
        """Return the reason to reject raw axes: a mapped axis is missing or not finite; "" when they are valid."""
        for axis in self.mapped_axes:
            if axis >= len(raw):
                highest = self.mapped_axes[-1]
                return (
                    f"expected at least {highest + 1} axes (mapping.axes names {highest}), found {len(raw)}; "
                    "start the device's own driver, or correct device.mapping.axes"
                )
            if not math.isfinite(raw[axis]):
                return f"axis {axis}: expected a finite number, found {raw[axis]}; restart the device's driver"
        return ""

    def twist(self, raw: Sequence[float]) -> NDArray[np.float64]:
        """Return the twist of raw axes; it rises from 0 at the edge of the dead zone. Shape (6,), in [-1, 1].

        An axis that was not reported yet counts as 0.
        """
        values = np.array([raw[axis] if UNUSED < axis < len(raw) else 0.0 for axis in self.axes])
        share = np.clip(values / self.full_scale, -1.0, 1.0)
        beyond = np.maximum(np.abs(share) - self.dead_zone, 0.0) / (1.0 - self.dead_zone)
        twist: NDArray[np.float64] = np.clip(np.sign(share) * beyond * self.scale, -1.0, 1.0)
        return twist


def check_button_names(buttons: dict[str, tuple[int, ...]] | dict[str, str]) -> None:
    """Raise ValueError for an unknown name, and for a name without a button."""
    for name, numbers in buttons.items():
        if name not in (CLOSE, OPEN, *REQUESTS):
            raise ValueError(f"buttons: expected one of {', '.join((CLOSE, OPEN, *REQUESTS))}, found {name!r}")
        if not numbers:
            raise ValueError(f"buttons.{name}: expected at least one button, found none; leave the line out instead")


def check_request_names(keys: dict[str, str]) -> None:
    """Raise ValueError for a name that is not a request, and for a name without a key."""
    for name, key in keys.items():
        if name not in REQUESTS:
            raise ValueError(f"keys: expected one of {', '.join(REQUESTS)}, found {name!r}")
        if not key:
            raise ValueError(f"keys.{name}: expected a key, found none; leave the line out instead")


def gripper_wish(held: frozenset[str]) -> float:
    """Return the gripper entry: 1 = open, -1 = close, 0 = no change."""
    return float(OPEN in held) - float(CLOSE in held)

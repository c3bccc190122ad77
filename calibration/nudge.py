"""Axes and signs of an input device, from nudges in directions that a person was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from steadyhand.robot_envs.devices.mapping import MappingConfig
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.ranges import expect, expect_above, expect_within

__all__ = ["NUDGES", "Nudge", "NudgeSettings", "Viewpoint", "mapping_from_nudges", "nudge_from_samples"]

Viewpoint = Literal["behind", "facing", "left", "right"]

# The tool motion of each nudge for a person behind the robot, who looks along its x axis: forward is x of the base,
# right is -y, up is z. The tool points down, so that its axes are x = forward, y = right, z = down.
NUDGES: dict[str, tuple[int, int]] = {
    "forward": (0, 1),
    "right": (1, 1),
    "up": (2, -1),
    "tilt right": (3, 1),
    "tilt forward": (4, -1),
    "turn left": (5, -1),
}
# Quarter turns about the vertical, from the person behind the robot to the other viewpoints; "left" is a person at the
# robot's left, who looks to its right.
QUARTERS: dict[str, int] = {"behind": 0, "left": 1, "facing": 2, "right": 3}
# In the horizontal plane, right follows forward. A tilt to the right is a turn about forward, a tilt forward one
# about left: so these pairs turn with the viewpoint, and up and turn left do not.
PLANES = {"forward": (0, 1), "right": (0, 1), "tilt right": (3, 4), "tilt forward": (3, 4)}


@dataclass(frozen=True)
class NudgeSettings:
    """Numbers of the step.

    Attributes:
        nudges: The directions that a person is asked for, of `NUDGES`.
        rest_s: Time for which the device is recorded at rest, before the first nudge.
        begin_share: Deflection at which a nudge begins and ends, as a share of `mapping.full_scale`.
        min_share: Least deflection of a nudge, as the same share.
        max_second_share: Largest deflection of another axis, as a share of the nudged one.
        timeout_s: Longest wait for a nudge.
        poll_s: Time between two readings.
    """

    nudges: tuple[str, ...]
    rest_s: float
    begin_share: float
    min_share: float
    max_second_share: float
    timeout_s: float
    poll_s: float

    def __post_init__(self) -> None:
        expect(bool(self.nudges), "nudges", f"some of {', '.join(NUDGES)}", list(self.nudges))
        for name in self.nudges:
            expect(name in NUDGES, "nudges", f"some of {', '.join(NUDGES)}", name)
        expect(len(set(self.nudges)) == len(self.nudges), "nudges", "each direction once", list(self.nudges))
        expect_above(self, 0.0, "rest_s", "begin_share", "timeout_s", "poll_s")
        expect_within(self, 0.0, 1.0, "begin_share", "min_share", "max_second_share")


@dataclass(frozen=True)
class Nudge:
    """One nudge.

    Attributes:
        axis: The raw axis that moved.
        sign: 1 if its value rose, -1 if it fell.
        deflection: Deflection of that axis, raw.
        second_share: Deflection of the next axis, as a share of it.
    """

    axis: int
    sign: int
    deflection: float
    second_share: float


def nudge_from_samples(name: str, samples: Array, rest: Array, full_scale: float, settings: NudgeSettings) -> Nudge:
    """Return the axis that a person has nudged.

    Args:
        name: Direction that the person was asked for.
        samples: Raw axes during the nudge. Shape (n, n_axes).
        rest: Raw axes at rest. Shape (n_axes,).
        full_scale: Raw value at full deflection.
        settings: Bounds.

    Raises:
        CalibrationError: The nudge was too weak, or two axes moved alike.
    """
    moved = samples - rest
    peak = moved[np.abs(moved).max(axis=1).argmax()]
    order = np.argsort(-np.abs(peak))
    first = int(order[0])
    size = abs(float(peak[first]))
    if size < settings.min_share * full_scale:
        raise CalibrationError(
            f"device: {name}: expected a deflection of at least {settings.min_share * full_scale:g}, found {size:g} on "
            f"axis {first}; push farther, or correct device.mapping.full_scale"
        )
    second = int(order[1]) if len(order) > 1 else first
    share = abs(float(peak[second])) / size if second != first else 0.0
    if share > settings.max_second_share:
        raise CalibrationError(
            f"device: {name}: expected one axis to move, found axis {first} and axis {second} alike ({share:.0%}); "
            "push in that direction alone"
        )
    return Nudge(first, 1 if peak[first] > 0.0 else -1, size, share)


def mapping_from_nudges(
    nudges: Mapping[str, Nudge], mapping: MappingConfig, viewpoint: Viewpoint
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return the `axes` and `scale` of the mapping; directions without a nudge keep theirs.

    Args:
        nudges: Nudge by direction.
        mapping: The present mapping, whose sizes of `scale` stay.
        viewpoint: Place of the person: behind the robot, facing it, at its left or at its right.

    Raises:
        CalibrationError: Two directions moved the same axis.
    """
    axes, scale = list(mapping.axes), [float(value) for value in mapping.scale]
    given: dict[int, str] = {}
    for name, nudge in nudges.items():
        entry, sign = _entry(name, viewpoint)
        axes[entry] = nudge.axis
        scale[entry] = sign * nudge.sign * abs(scale[entry])
        given[entry] = name
    for entry, name in given.items():
        for other, axis in enumerate(axes):
            if other != entry and axis == axes[entry]:
                clash = given.get(other) or f"entry {other} of mapping.axes, which was not nudged"
                raise CalibrationError(
                    f"device: expected another axis for {name} than for {clash}, found axis {axis} for both; nudge all "
                    "directions again"
                )
    return tuple(axes), tuple(scale)


def _entry(name: str, viewpoint: Viewpoint) -> tuple[int, int]:
    """Return the entry of the twist that a nudge moves, and its sign, as seen from a viewpoint."""
    entry, sign = NUDGES[name]
    if name not in PLANES:
        return entry, sign
    first, second = PLANES[name]
    # (x, y) of the tool frame: x forward, y right of the person behind. A quarter turn to the robot's left side.
    x, y = (sign, 0) if entry == first else (0, sign)
    for _ in range(QUARTERS[viewpoint]):
        x, y = -y, x
    return (first, x) if x else (second, y)

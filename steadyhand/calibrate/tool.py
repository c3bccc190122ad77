"""Measure the tool: its tip by turning about a fixed point, and the box around it that has to stay in the workspace."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steadyhand.calibrate.collected import NUMBERS_EPILOG, poses_of, read_collected
from steadyhand.calibrate.opened import add_output, arm_task, composed_step, numbers, opened_cell, save
from steadyhand.calibrate.person import person_at, take_poses
from steadyhand.calibration.cell import MotionSettings
from steadyhand.calibration.pivot import Pivot, PivotSettings, pivot_from_poses
from steadyhand.calibration.tool_extent import extent_of_points, touching_points
from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.ranges import expect_at_least
from steadyhand.settings import Settings
from steadyhand.terminal import say

__all__ = ["EPILOG", "ToolStep", "add_options", "run"]

EPILOG = (
    "Put the tip into a fixed dimple, turn the tool about it, and take at least six poses. With --touch, touch the\n"
    "same dimple with corners of the tool and of the part that it holds, and take each.\n"
    f"FILE has poses, and may have touches. {NUMBERS_EPILOG}\n"
    "example: steadyhand calibrate tool --by-hand --touch robot=mock\n"
    "example: steadyhand calibrate tool --low -0.011 -0.011 0 --high 0.011 0.011 0.03"
)


@dataclass(frozen=True)
class ToolStep:
    """Numbers of the step.

    Attributes:
        pivot: Bounds of the pivot calibration.
        margin_m: Distance by which the box is larger than the measured points.
        motion: Speeds.
    """

    pivot: PivotSettings
    margin_m: float
    motion: MotionSettings

    def __post_init__(self) -> None:
        expect_at_least(self, 0.0, "margin_m")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the step."""
    add_output(parser, "poses")
    parser.add_argument("--by-hand", action="store_true", help="the arm is guided by hand: it is only read")
    parser.add_argument("--touch", action="store_true", help="measure the box by touching the point with corners")
    for name, text in (("low", "lower"), ("high", "upper")):
        parser.add_argument(
            f"--{name}", metavar=("X", "Y", "Z"), nargs=3, type=float, help=f"{text} corner of the box, tool frame [m]"
        )


def run(options: argparse.Namespace, overrides: Sequence[str], hardware: Hardware | None = None) -> int:
    """Collect the poses, and write the file."""
    settings, step = composed_step("tool", overrides, ToolStep)
    task = arm_task(settings)
    given = _given(options.low, options.high)
    pivot, outline = _measured(options, settings, step, hardware, given is not None)
    if given is not None:
        points, margin_m = given, 0.0
    else:
        assert pivot is not None
        points, margin_m = np.concatenate([pivot.tip_m[None], outline]), step.margin_m
    extent = extent_of_points(points, margin_m)
    values: dict[str, Any] = {"margin_m": margin_m, "outline_m": numbers(points)}
    residuals: dict[str, Any] = {}
    if pivot is not None:
        values |= {"tip_m": numbers(pivot.tip_m), "point_m": numbers(pivot.point_m)}
        residuals |= {
            "rms_mm": 1e3 * pivot.rms_m,
            "largest_mm": 1e3 * float(pivot.distances_m.max()),
            "amplification": pivot.amplification,
            "n_poses": len(pivot.distances_m),
        }
        say(f"tip: {values['tip_m']} m from the tool centre point, tool frame")
    name = str(settings.composed["robot"]["name"])
    save(
        options.out,
        "tool",
        name,
        belongs_to={"robot.name": name, "task.entry_point": task.entry_point},
        sets={"task.extent": {"low_m": numbers(extent.low_m), "high_m": numbers(extent.high_m)}},
        values=values,
        residuals=residuals,
    )
    return 0


def _given(low: list[float] | None, high: list[float] | None) -> Array | None:
    """Return the corners that the options give; None without.

    Raises:
        CalibrationError: One is missing, or they are no box around the tool centre point.
    """
    if low is None and high is None:
        return None
    if low is None or high is None:
        raise CalibrationError("--low and --high: expected both corners of the box, found one")
    if not all(-1.0 < a <= 0.0 <= b < 1.0 for a, b in zip(low, high, strict=True)):
        raise CalibrationError(
            f"--low and --high: expected low <= 0 <= high within 1 m of the tool centre point, found {low} and {high}"
        )
    return np.array([low, high])


def _measured(
    options: argparse.Namespace, settings: Settings, step: ToolStep, hardware: Hardware | None, has_box: bool
) -> tuple[Pivot | None, Array]:
    """Return the pivot and the touched outline (n, 3); nothing is measured if the box is given without a file."""
    nothing = np.zeros((0, 3))
    if options.source is not None:
        content = read_collected(options.source)
        pivot = pivot_from_poses(poses_of(content, "poses", options.source), step.pivot)
        if "touches" not in content:
            return pivot, nothing
        return pivot, touching_points(poses_of(content, "touches", options.source), pivot.point_m)
    if has_box:
        return None, nothing
    by_hand = options.by_hand
    with (
        opened_cell(settings, step.motion, (), hardware, only_reads=by_hand, enabled_by_key=True) as cell,
        person_at(settings, cell, by_hand) as person,
    ):
        say(f"tip in the dimple: take at least {step.pivot.min_poses} poses, turned about two axes; then finish")
        pivot = pivot_from_poses(take_poses(cell, person)[0], step.pivot)
        say(f"tip within {1e3 * pivot.rms_m:.2f} mm of one point")
        if not options.touch:
            return pivot, nothing
        say("touch the dimple with every corner of the tool and of its part, and take each; then finish")
        return pivot, touching_points(take_poses(cell, person)[0], pivot.point_m)

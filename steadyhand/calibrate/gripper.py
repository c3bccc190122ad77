"""Measure the gripper: its readings at the open and at the closed end, by moving it to both."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steadyhand.calibrate.collected import read_collected, rows_of
from steadyhand.calibrate.opened import add_here, add_output, arm_task, composed_step, numbers, opened_cell, save
from steadyhand.calibration.cell import Cell, MotionSettings
from steadyhand.calibration.gripper_points import GripperEnds, GripperSettings, ends_from_readings
from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.gripper_profile import GripperProfile
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.settings import Settings
from steadyhand.terminal import say

__all__ = ["EPILOG", "GripperStep", "add_options", "run"]

EPILOG = (
    "The gripper opens and closes several times; nothing may be between its fingers. The arm stays where it is.\n"
    "Behind ROS the file gives the two points of the gripper profile, else task.drive.gripper_open_m. FILE has open\n"
    "and closed: positions of the gripper's joint, or openings [m] for a robot without ROS.\n"
    "example: steadyhand calibrate gripper robot=mock device=none"
)


@dataclass(frozen=True)
class GripperStep:
    """Numbers of the step.

    Attributes:
        ends: Cycles, times and bounds.
        motion: Not used: the arm stays where it is.
    """

    ends: GripperSettings
    motion: MotionSettings


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the step."""
    add_here(parser)
    add_output(parser, "open and closed")
    for end in ("open", "closed"):
        parser.add_argument(
            f"--{end}-m", metavar="M", type=float, help=f"opening when {end}, measured with a calliper [m]"
        )


def run(options: argparse.Namespace, overrides: Sequence[str], hardware: Hardware | None = None) -> int:
    """Move the gripper, and write the file."""
    settings, step = composed_step("gripper", overrides, GripperStep)
    task, profile = arm_task(settings), settings.gripper
    open_m = profile.open.opening_m if profile else task.drive.gripper_open_m
    if options.source is not None:
        content = read_collected(options.source)
        opened, closed = (rows_of(content, name, None, options.source) for name in ("open", "closed"))
    else:
        opened, closed = _moved(settings, step, open_m, hardware, not options.here)
        if profile is not None:
            opened, closed = (np.array([profile.position_at(at) for at in rows]) for rows in (opened, closed))
    expected = profile.open.position - profile.closed.position if profile else open_m
    found = ends_from_readings(opened, closed, expected, step.ends, "of the joint" if profile else "m")
    name = str(settings.composed["robot"]["name"])
    belongs_to = {"robot.name": name}
    if profile is None:
        sets = _plain(found, options)
    else:
        sets = _points(found, profile, options)
        belongs_to["gripper.joint"] = profile.joint
    save(
        options.out,
        "gripper",
        name,
        belongs_to=belongs_to,
        sets=sets,
        values={"open": numbers(opened), "closed": numbers(closed)},
        residuals={"spread": found.spread, "n_cycles": len(opened)},
    )
    return 0


def _moved(
    settings: Settings, step: GripperStep, open_m: float, hardware: Hardware | None, at_start: bool
) -> tuple[Array, Array]:
    """Return the openings after each command to open and to close. Shapes (cycles,); [m]."""
    with opened_cell(settings, step.motion, (), hardware, at_start) as cell:
        if not cell.robot.has_gripper:
            raise CalibrationError("gripper: expected a robot with a gripper, found none; choose one with gripper=...")
        cell.check_inside()
        place, opened, closed = cell.pose.copy(), [], []
        for cycle in range(1, step.ends.cycles + 1):
            closed.append(_still(cell, place, 0.0, open_m, step.ends))
            opened.append(_still(cell, place, open_m, open_m, step.ends))
            say(f"cycle {cycle}: closed {closed[-1]:.4f} m, open {opened[-1]:.4f} m")
        return np.array(opened), np.array(closed)


def _still(cell: Cell, place: Array, width_m: float, range_m: float, ends: GripperSettings) -> float:
    """Command a width, wait until the gripper is still, and return the measured width [m].

    Raises:
        CalibrationError: It keeps moving.
    """
    now = cell.clock.now_ns()
    until_ns, since_ns, at = now + round(ends.timeout_s * 1e9), now, float("nan")
    while cell.clock.now_ns() < until_ns:
        width = float(cell.step(place, width_m).gripper_width[0])
        if not abs(width - at) <= ends.settle_share * range_m:
            at, since_ns = width, cell.clock.now_ns()
        elif cell.clock.now_ns() - since_ns >= ends.settle_s * 1e9:
            return width
    raise CalibrationError(
        f"gripper: expected it still within {ends.timeout_s:g} s, found it moving; raise calibrate.ends.timeout_s"
    )


def _plain(found: GripperEnds, options: argparse.Namespace) -> dict[str, Any]:
    open_m = found.open_position if options.open_m is None else options.open_m
    if not open_m > 0.0:
        raise CalibrationError(f"gripper: expected an opening above 0 m, found {open_m:g}; give --open-m")
    return {"task.drive.gripper_open_m": numbers(open_m)}


def _points(found: GripperEnds, profile: GripperProfile, options: argparse.Namespace) -> dict[str, Any]:
    """Return the two points of the profile; an opening that was not measured with a calliper stays."""
    sets: dict[str, Any] = {}
    for end, position, opening_m in (
        ("open", found.open_position, options.open_m),
        ("closed", found.closed_position, options.closed_m),
    ):
        point = getattr(profile, end)
        sets[f"gripper.{end}"] = {
            "opening_m": numbers(point.opening_m if opening_m is None else opening_m),
            "position": numbers(position),
            "command": point.command,
        }
    if not 0.0 <= sets["gripper.closed"]["opening_m"] < sets["gripper.open"]["opening_m"]:
        raise CalibrationError(
            f"gripper: expected 0 <= closed < open, found {sets['gripper.closed']['opening_m']} and "
            f"{sets['gripper.open']['opening_m']} m; correct --open-m or --closed-m"
        )
    return sets

"""Measure the workspace: a person leads the arm to the corners of the box; safety keeps the tool inside it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from steadyhand.calibrate.collected import NUMBERS_EPILOG, poses_of, read_collected
from steadyhand.calibrate.opened import add_output, arm_task, composed_step, numbers, opened_cell, save
from steadyhand.calibrate.person import person_at, take_poses
from steadyhand.calibration.cell import MotionSettings, cautious_limits, slowed
from steadyhand.calibration.workspace import Workspace, WorkspaceSettings, workspace_from_poses
from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.ranges import expect_above, expect_length
from steadyhand.settings import Settings
from steadyhand.terminal import say

__all__ = ["EPILOG", "WorkspaceStep", "add_options", "run"]

EPILOG = (
    "Lead the tool to corners of the box, in the orientation of the task, and take each with a key. Finish at the\n"
    "place where the arm is to park, which counts as a corner. Until then\n"
    "the gate keeps the tool in a box around its first pose (reach_m).\n"
    f"FILE has poses, and may have park (one pose). {NUMBERS_EPILOG}\n"
    "example: steadyhand calibrate workspace device=spacemouse robot=mock task=reach"
)
START = "start_position_m"


@dataclass(frozen=True)
class WorkspaceStep:
    """Numbers of the step.

    Attributes:
        box: Margins and bounds of the box.
        reach_m: Half sides of the box around the present pose while there is no workspace yet. Shape (3,).
        max_tilt_rad: Largest angle from the present orientation meanwhile.
        max_force_n: Largest force meanwhile.
        motion: Speeds.
    """

    box: WorkspaceSettings
    reach_m: tuple[float, ...]
    max_tilt_rad: float
    max_force_n: float
    motion: MotionSettings

    def __post_init__(self) -> None:
        expect_length(self, 3, "reach_m")
        expect_above(self, 0.0, "reach_m", "max_tilt_rad", "max_force_n")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the step."""
    add_output(parser, "poses")
    parser.add_argument("--by-hand", action="store_true", help="the arm is guided by hand: it is only read")
    parser.add_argument("--start", action="store_true", help="the first pose is the task's start position too")


def run(options: argparse.Namespace, overrides: Sequence[str], hardware: Hardware | None = None) -> int:
    """Collect the poses, and write the file."""
    settings, step = composed_step("workspace", overrides, WorkspaceStep)
    task = arm_task(settings)
    if options.start and START not in task.settings:
        raise CalibrationError(f"--start: expected a task with task.settings.{START}, found {task.entry_point}")
    if options.source is not None:
        content = read_collected(options.source)
        poses = poses_of(content, "poses", options.source)
        park = poses_of(content, "park", options.source)[0] if "park" in content else None
    else:
        poses, park = _led(settings, step, options.by_hand, hardware)
    found = workspace_from_poses(poses, settings.safety.extent, step.box)
    sets = _sets(settings, found, park)
    belongs_to = {"robot.name": settings.composed["robot"]["name"]}
    if options.start:
        sets[f"task.settings.{START}"] = numbers(poses[0, :3])
        belongs_to["task.entry_point"] = task.entry_point
    save(
        options.out,
        "workspace",
        str(belongs_to["robot.name"]),
        belongs_to=belongs_to,
        sets=sets,
        values={"poses": numbers(poses), "margin_m": step.box.margin_m, "margin_rad": step.box.margin_rad},
        residuals={"largest_tilt_rad": float(found.tilts_rad.max()), "n_poses": len(poses)},
    )
    return 0


def _led(settings: Settings, step: WorkspaceStep, by_hand: bool, hardware: Hardware | None) -> tuple[Array, Array]:
    """Return the poses that a person took and the last one, and that one; the gate is around the first meanwhile.

    The tool has been at the last pose too, so the box encloses it.
    """
    with opened_cell(settings, step.motion, (), hardware, only_reads=by_hand, enabled_by_key=True) as cell:
        limits = replace(settings.safety, max_force_n=min(settings.safety.max_force_n, step.max_force_n))
        cell.limit(cautious_limits(slowed(limits, step.motion), cell.pose, step.reach_m, step.max_tilt_rad))
        with person_at(settings, cell, by_hand) as person:
            poses, park = take_poses(cell, person, _say_sides)
    return np.concatenate([poses, park[None]]), park


def _say_sides(poses: Array) -> None:
    if len(poses) > 1:
        sides = " x ".join(f"{side:.3f}" for side in np.ptp(poses[:, :3], axis=0))
        say(f"  {len(poses)} poses span {sides} m")


def _sets(settings: Settings, found: Workspace, park: Array | None) -> dict[str, Any]:
    """Return the settings of the file, checked as the safety gate would.

    Raises:
        CalibrationError: The park position is outside of the box.
    """
    values: dict[str, Any] = {
        "workspace_low_m": numbers(found.low_m),
        "workspace_high_m": numbers(found.high_m),
        "nominal_quat": numbers(found.nominal_quat, 9),
        "max_tilt_rad": numbers(found.max_tilt_rad),
        "park_position_m": None if park is None else numbers(park[:3]),
    }
    try:
        build(SafetyLimits, {**settings.composed["safety"], **values}, "safety")
    except ConfigError as error:
        raise CalibrationError(f"workspace: {error}; finish at a place inside the box") from None
    return {f"safety.{key}": value for key, value in values.items()}

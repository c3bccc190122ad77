"""Common parts of the steps of `steadyhand calibrate`: configuration, open cell, and written file."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from steadyhand.calibrate.picture_source import whole_view
from steadyhand.calibration.cell import Cell, MotionSettings, slowed
from steadyhand.robot_envs.gym_config import GymTaskConfig
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.robot_envs.make import RobotTaskConfig, make_hardware, make_task
from steadyhand.robot_envs.workpieces import Workpieces
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.calibration_file import CalibrationError, write_calibration
from steadyhand.runtime.config import compose
from steadyhand.runtime.logging import setup
from steadyhand.settings import Settings, read_settings
from steadyhand.terminal import say

__all__ = [
    "MotionStep",
    "add_here",
    "add_output",
    "arm_task",
    "composed_step",
    "numbers",
    "opened_cell",
    "save",
    "with_whole_pictures",
]

T = TypeVar("T")
GROUP = "calibrate"


@dataclass(frozen=True)
class MotionStep:
    """Numbers of a step that has none but those of the arm's motion.

    Attributes:
        motion: Motion between poses.
    """

    motion: MotionSettings


def add_output(parser: argparse.ArgumentParser, collected: str = "") -> None:
    """Add `--out`, and `--from` for numbers that were collected otherwise; `collected` names them."""
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path("calibrations"),
        help="folder of the calibration files (calibrations)",
    )
    if collected:
        parser.add_argument(
            "--from", metavar="FILE", type=Path, dest="source", help=f"use {collected} of a YAML file; nothing moves"
        )


def add_here(parser: argparse.ArgumentParser) -> None:
    """Add `--here`."""
    parser.add_argument("--here", action="store_true", help="begin where the arm is, not at a start of the task")


def composed_step(step: str, overrides: Sequence[str], numbers_type: type[T]) -> tuple[Settings, T]:
    """Compose the cell's configuration and the numbers of one step, `configs/calibrate/<step>.yaml`.

    Raises:
        ConfigError: A setting is wrong; the line names it.
    """
    config = compose([f"+{GROUP}={step}", *overrides])
    values = config.pop(GROUP)
    if not isinstance(values, Mapping):
        raise ConfigError(f"{GROUP}: expected the numbers of the step {step}, found {values!r}")
    settings = read_settings(config)
    setup(settings.logging.level)
    return settings, build(numbers_type, values, GROUP)


def with_whole_pictures(settings: Settings, cameras: Sequence[str]) -> Settings:
    """Return the settings with the whole pictures of these views, at the size of `calibration.pictures`.

    A view that does not exist is left to `opened_cell`, which refuses it.
    """
    views = settings.composed["camera"]["views"]
    wanted = settings.calibration.pictures
    whole = {name: whole_view(views[name], wanted) for name in cameras if name in views}
    return replace(settings, composed={**settings.composed, "camera": {"views": {**views, **whole}}})


def arm_task(settings: Settings) -> RobotTaskConfig:
    """Return the task of an arm.

    Raises:
        ConfigError: The task is a gymnasium environment.
    """
    if isinstance(settings.task, GymTaskConfig):
        raise ConfigError("task: expected a task for an arm, found kind gym; give task=reach")
    return settings.task


@contextmanager
def opened_cell(
    settings: Settings,
    motion: MotionSettings,
    views: Sequence[str] = (),
    hardware: Hardware | None = None,
    at_start: bool = False,
    only_reads: bool = False,
    enabled_by_key: bool = False,
) -> Iterator[Cell]:
    """Connect the configured arm with some of its cameras, behind a gate with reduced speeds; hold it at the end.

    Args:
        settings: Settings of the cell.
        motion: Motion between poses.
        views: Names of the cameras to open.
        hardware: Hardware that only the caller's process can reach, such as that behind ROS; None = as configured.
        at_start: True to move to the start of an episode of the task first; False to stay where the arm is.
        only_reads: See `Cell`.
        enabled_by_key: True where the person enables motion with a key; otherwise this waits for the permission to
            move, where the hardware needs one.

    Raises:
        CalibrationError: The robot is behind ROS and `hardware` is None, or a view is unknown.
    """
    task, limits = arm_task(settings), slowed(settings.safety, motion)
    known = settings.composed["camera"]["views"]
    for name in views:
        if name not in known:
            raise CalibrationError(
                f"camera.views.{name}: expected one of {', '.join(known) or 'none'}, found no such view"
            )
    if hardware is None:
        if settings.robot.profile is not None:
            raise CalibrationError(
                "robot.kind: expected a robot that this process reaches, found ros; run the step as `ros2 run actor "
                "calibrate_node` (docs/calibration-cell.md), or give --from FILE"
            )
        config = {**settings.composed, "camera": {"views": {name: known[name] for name in views}}}
        hardware = make_hardware({**config, "sensor": {"fields": {}}}, task.scene)
    hardware = replace(hardware, cameras=[camera for camera in hardware.cameras if camera.name in views])
    cell = Cell(hardware, limits, task.drive.control_period_s, motion, only_reads)
    try:
        cell.open()
        if not (only_reads or enabled_by_key):
            cell.await_permission()
        if at_start:
            _move_to_start(cell, settings, hardware.workpieces)
        yield cell
    finally:
        cell.close()


def _move_to_start(cell: Cell, settings: Settings, workpieces: Workpieces) -> None:
    """Arrange simulated workpieces, and move the arm to a start of the task, which is inside the workspace.

    Raises:
        CalibrationError: The start is outside of the workspace.
        CellStopError: A stop on the way.
    """
    plan = make_task(arm_task(settings)).begin(np.random.default_rng(settings.seed))
    workpieces.begin(settings.seed)
    for name, pose in plan.placements.items():
        workpieces.place(name, pose)
    for name, position in plan.positions.items():
        workpieces.set_position(name, position)
    say("moving to the task's start")
    cell.move_to_start(plan.start_pose[0], float(plan.gripper_width[0]))


def save(
    out: Path,
    kind: str,
    device: str,
    *,
    belongs_to: Mapping[str, Any],
    sets: Mapping[str, Any],
    values: Mapping[str, Any],
    residuals: Mapping[str, Any],
    png: bytes | None = None,
) -> Path:
    """Write the file, and print its path and its settings, and the override that uses it."""
    path = write_calibration(
        out, kind, device, belongs_to=belongs_to, sets=sets, values=values, residuals=residuals, png=png
    )
    for key, value in {**sets, **residuals}.items():
        say(f"{key}: {_text(value)}")
    say(f"wrote {path}")
    if sets:
        say(f"use it with calibration.files=[{path}]")
    return path


def numbers(values: Any, digits: int = 6) -> Any:
    """Return an array or a number as Python's own floats, in lists, rounded."""
    return np.round(np.asarray(values, np.float64), digits).tolist()


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return f"[{', '.join(_text(item) for item in value)}]"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    return str(value)

"""Take the reference picture of a camera, with which `check` finds that it was moved."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibrate.opened import MotionStep, composed_step, opened_cell, with_whole_pictures
from steadyhand.calibrate.picture_source import add_source, camera_name, next_picture, open_camera, read_folder
from steadyhand.calibration.collecting import fresh_frame
from steadyhand.calibration.reference import ArmPose, reference_points, write_reference
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.calibration_settings import CalibrationSettings
from steadyhand.runtime.config import compose
from steadyhand.terminal import say

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = (
    "The camera has to stand still. Take the reference right after hand-eye. With --pictures, several pictures with\n"
    "arm and workpieces in different places are better than one: what moves between them is not compared.\n"
    "--mount tool is for a camera on the arm: the file keeps the pose of the arm, and the camera is compared there\n"
    "alone. The arm is only read, unless --at-start moves it to a start of the task, where every episode begins.\n"
    "example: steadyhand calibrate reference --camera side camera=wrist_side"
)
PATIENCE_S = 5.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the source of the pictures and the mount of the camera."""
    add_source(parser)
    parser.add_argument(
        "--mount", choices=["tool", "base"], default="base", help="tool = on the arm; base = beside the robot (base)"
    )
    parser.add_argument("--at-start", action="store_true", help="with --mount tool: move to a start of the task first")


def run(options: argparse.Namespace, overrides: Sequence[str], hardware: Hardware | None = None) -> int:
    """Take the pictures, and write the file."""
    config = compose(["+calibrate=motion", *overrides])
    settings = build(CalibrationSettings, config["calibration"], "calibration")
    name, arm = camera_name(config, options.camera), None
    if options.at_start and options.mount != "tool":
        raise CalibrationError("--at-start: expected --mount tool beside it, found a camera beside the robot")
    if options.pictures is not None:
        if options.mount == "tool":
            raise CalibrationError(
                "--pictures: expected a camera beside the robot, found --mount tool; leave --pictures out: the pose of "
                "the arm is read with the picture"
            )
        pictures = [picture for _, picture in read_folder(options.pictures)]
    elif options.mount == "tool" or hardware is not None:
        picture, arm = _at_the_arm(options, overrides, hardware)
        pictures = [picture]
    else:
        with open_camera(config, options.camera, settings.pictures) as camera:
            pictures = [next_picture(camera, None, PATIENCE_S)[0]]
    points = reference_points(pictures, settings.drift)
    path = write_reference(options.output, name.device, name.belongs_to, pictures[0], points, len(pictures), arm)
    say(f"{len(points.places)} edge points that stay in place, from {len(pictures)} pictures")
    say(f"{path}")
    return 0


def _at_the_arm(
    options: argparse.Namespace, overrides: Sequence[str], hardware: Hardware | None
) -> tuple[NDArray[np.uint8], ArmPose | None]:
    """Return a picture (h, w, 3), and for a camera on the arm the pose at which it was taken.

    Raises:
        CalibrationError: The arm moves, or the camera is silent.
    """
    settings, step = composed_step("motion", overrides, MotionStep)
    settings = with_whole_pictures(settings, (options.camera,))
    only_reads = not options.at_start
    with opened_cell(settings, step.motion, (options.camera,), hardware, options.at_start, only_reads) as cell:
        picture = fresh_frame(cell, cell.cameras[0]).pixels.copy()
        if options.mount != "tool":
            return picture, None
        if not cell.is_at_rest:
            raise CalibrationError("expected an arm at rest, found it moving; let it come to rest")
        state = cell.state
        return picture, ArmPose.of(state)

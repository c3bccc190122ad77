"""Check that a camera still stands where it stood at its reference."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibrate.opened import MotionStep, composed_step, opened_cell, with_whole_pictures
from steadyhand.calibrate.picture_source import camera_name, read_folder
from steadyhand.calibration.camera_check import CameraVerdict, Placement, check_camera
from steadyhand.calibration.collecting import fresh_frame
from steadyhand.calibration.reference import arm_pose_of
from steadyhand.pipeline.camera_check import CameraCheck
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import CalibrationError, read_calibration
from steadyhand.runtime.calibration_settings import CalibrationSettings
from steadyhand.runtime.config import compose
from steadyhand.terminal import say

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = (
    "Exits 1 if a camera was moved, or cannot be compared. Without --reference, the references of calibration.files\n"
    "are checked, as `steadyhand doctor` and every run that drives the arm do. A camera on the arm is compared where\n"
    "the arm is at the pose of the reference: --go moves it there, through the safety gate.\n"
    "example: steadyhand calibrate check --camera side --reference calibrations/reference-side-20260101-120000.yaml"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the camera and its reference."""
    parser.add_argument("--camera", metavar="NAME", help="view of the camera: camera.views.NAME")
    parser.add_argument("--reference", metavar="FILE", type=Path, help="file of `calibrate reference`")
    parser.add_argument("--pictures", metavar="DIR", type=Path, help="a folder of pictures, in place of the camera")
    parser.add_argument("--go", action="store_true", help="move the arm to the pose of the reference first")


def run(options: argparse.Namespace, overrides: Sequence[str], hardware: Hardware | None = None) -> int:
    """Print one line for each reference."""
    config = compose(["+calibrate=motion", *overrides])
    if options.reference is not None:
        _check_owner(options, config)
    if options.pictures is not None:
        verdicts = list(_of_folder(options, config))
    else:
        check = CameraCheck(config, references=None if options.reference is None else [options.reference])
        if check.on_arm or hardware is not None:
            verdicts = list(_at_the_arm(options, overrides, check, hardware))
        elif options.go:
            raise CalibrationError("--go: expected the reference of a camera on the arm, found none")
        else:
            verdicts = list(check.verdicts())
    if not verdicts:
        raise CalibrationError(
            "expected --reference FILE, or a file of kind reference in calibration.files, found none"
        )
    for verdict in verdicts:
        say(str(verdict))
    return 0 if all(verdict.placement is Placement.IN_PLACE for verdict in verdicts) else 1


def _check_owner(options: argparse.Namespace, config: Mapping[str, Any]) -> None:
    found = read_calibration(options.reference, "reference")
    if options.camera is not None and (name := camera_name(config, options.camera).device) != found.device:
        raise CalibrationError(
            f"{options.reference}: expected the reference of camera {name}, found that of {found.device}"
        )


def _of_folder(options: argparse.Namespace, config: Mapping[str, Any]) -> Iterator[CameraVerdict]:
    """Compare each picture of the folder with the given reference, whose pose a camera on the arm has to be at."""
    if options.reference is None:
        raise CalibrationError("--pictures: expected --reference FILE beside it, found none")
    settings = build(CalibrationSettings, config["calibration"], "calibration")
    arm = arm_pose_of(read_calibration(options.reference, "reference"))
    for name, picture in read_folder(options.pictures):
        yield check_camera(name, options.reference, partial(_same, picture), settings, arm)


def _at_the_arm(
    options: argparse.Namespace, overrides: Sequence[str], check: CameraCheck, hardware: Hardware | None
) -> Iterator[CameraVerdict]:
    """Compare with the arm connected: where it is, or at the pose of the one reference of a camera on it."""
    settings, step = composed_step("motion", overrides, MotionStep)
    views = check.views()
    settings = with_whole_pictures(settings, views)
    if options.go and len(check.on_arm) != 1:
        raise CalibrationError(
            f"--go: expected one reference of a camera on the arm, found {len(check.on_arm)}; give --reference FILE"
        )
    with opened_cell(settings, step.motion, views, hardware, only_reads=not options.go) as cell:
        if options.go:
            target = arm_pose_of(read_calibration(check.on_arm[0], "reference"))
            assert target is not None
            cell.check_inside()
            say("moving to the pose of the reference")
            # As at the start of an episode: a reset comes nearer to a pose than a motion of the gate.
            cell.move_to_start(target.tool[0], float(target.openings[0]))
        cameras = {camera.name: camera for camera in cell.cameras}

        def take(name: str, patience_s: float) -> NDArray[np.uint8]:
            return fresh_frame(cell, cameras[name]).pixels.copy()

        yield from check.with_pictures(take).verdicts(cell.look())


def _same(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return picture

"""Check that a camera still stands where it stood at its reference."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibrate.picture_source import camera_name, next_picture, open_camera, read_folder, view_of
from steadyhand.calibration.camera_check import CameraVerdict, Placement, check_camera
from steadyhand.pipeline.camera_check import CameraCheck
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import CalibrationError, read_calibration
from steadyhand.runtime.calibration_settings import CalibrationSettings
from steadyhand.runtime.config import compose
from steadyhand.terminal import say

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = (
    "Exits 1 if a camera was moved, or cannot be compared. Without --reference, the references of calibration.files\n"
    "are checked, as `steadyhand doctor` and every run that drives the arm do.\n"
    "example: steadyhand calibrate check --camera side --reference calibrations/reference-side-20260101-120000.yaml"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the camera and its reference."""
    parser.add_argument("--camera", metavar="NAME", help="view of the camera: camera.views.NAME")
    parser.add_argument("--reference", metavar="FILE", type=Path, help="file of `calibrate reference`")
    parser.add_argument("--pictures", metavar="DIR", type=Path, help="a folder of pictures, in place of the camera")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Print one line for each reference."""
    config = compose(overrides)
    found = _given(options, config) if options.reference is not None else CameraCheck(config).verdicts()
    verdicts = list(found)
    if not verdicts:
        raise CalibrationError(
            "expected --reference FILE, or a file of kind reference in calibration.files, found none"
        )
    for verdict in verdicts:
        say(str(verdict))
    return 0 if all(verdict.placement is Placement.IN_PLACE for verdict in verdicts) else 1


def _given(options: argparse.Namespace, config: Mapping[str, Any]) -> Iterator[CameraVerdict]:
    """Compare the camera, or each picture of the folder, with the given reference."""
    settings = build(CalibrationSettings, config["calibration"], "calibration")
    found = read_calibration(options.reference, "reference")
    if options.camera is not None and (name := camera_name(config, options.camera).device) != found.device:
        raise CalibrationError(
            f"{options.reference}: expected the reference of camera {name}, found that of {found.device}"
        )
    if options.pictures is not None:
        for name, picture in read_folder(options.pictures):
            yield check_camera(name, options.reference, partial(_same, picture), settings)
        return
    view = options.camera or view_of(config, found.device)
    with open_camera(config, view, settings.pictures) as camera:
        picture, _ = next_picture(camera, None, settings.check.timeout_s)
    yield check_camera(view, options.reference, partial(_same, picture), settings)


def _same(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return picture

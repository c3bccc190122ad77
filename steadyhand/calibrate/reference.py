"""Take the reference picture of a camera, with which `check` finds that it was moved."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from steadyhand.calibrate.picture_source import add_source, camera_name, next_picture, open_camera, read_folder
from steadyhand.calibration.reference import reference_points, write_reference
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_settings import CalibrationSettings
from steadyhand.runtime.config import compose
from steadyhand.terminal import say

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = (
    "The camera has to stand still. Take the reference right after hand-eye. With --pictures, several pictures with\n"
    "arm and workpieces in different places are better than one: what moves between them is not compared.\n"
    "A camera on the arm has a reference for one pose of the arm only.\n"
    "example: steadyhand calibrate reference --camera side camera=wrist_side"
)
PATIENCE_S = 5.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the source of the pictures."""
    add_source(parser)


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Take the pictures, and write the file."""
    config = compose(overrides)
    settings = build(CalibrationSettings, config["calibration"], "calibration")
    name = camera_name(config, options.camera)
    if options.pictures is not None:
        pictures = [picture for _, picture in read_folder(options.pictures)]
    else:
        with open_camera(config, options.camera, settings.pictures) as camera:
            pictures = [next_picture(camera, None, PATIENCE_S)[0]]
    points = reference_points(pictures, settings.drift)
    path = write_reference(options.output, name.device, name.belongs_to, pictures[0], points, len(pictures))
    say(f"{len(points.places)} edge points that stay in place, from {len(pictures)} pictures")
    say(f"{path}")
    return 0

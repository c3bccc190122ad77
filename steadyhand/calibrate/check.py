"""Check that a camera still stands where it stood at its reference."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from steadyhand.calibrate.picture_source import camera_name, next_picture, open_camera, read_folder
from steadyhand.calibration.drift import Drift
from steadyhand.calibration.reference import compare
from steadyhand.robot_envs.camera import CameraError
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.calibration_file import CalibrationError, read_calibration
from steadyhand.runtime.calibration_settings import CalibrationSettings
from steadyhand.runtime.config import compose
from steadyhand.terminal import say

__all__ = ["EPILOG", "add_options", "drift_text", "moved_cameras", "run"]

EPILOG = (
    "Exits 1 if a camera was moved. Without --reference, the references of calibration.files are checked, as\n"
    "`steadyhand doctor` does.\n"
    "example: steadyhand calibrate check --camera side --reference calibrations/reference-side-20260101-120000.yaml"
)
PATIENCE_S = 5.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the camera and its reference."""
    parser.add_argument("--camera", metavar="NAME", help="view of the camera: camera.views.NAME")
    parser.add_argument("--reference", metavar="FILE", type=Path, help="file of `calibrate reference`")
    parser.add_argument("--pictures", metavar="DIR", type=Path, help="a folder of pictures, in place of the camera")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Print one line for each reference."""
    config = compose(overrides)
    results = list(_given(options, config) if options.reference is not None else moved_cameras(config))
    if not results:
        raise CalibrationError(
            "expected --reference FILE, or a file of kind reference in calibration.files, found none"
        )
    for name, drift in results:
        say(f"{name}: {drift_text(drift)}")
    return 1 if any(isinstance(drift, str) or drift.moved for _, drift in results) else 0


def moved_cameras(config: Mapping[str, Any]) -> Iterator[tuple[str, Drift | str]]:
    """Compare every camera that has a reference in `calibration.files` with it.

    Args:
        config: As `compose` returns it.

    Yields:
        The camera's name, and the comparison, or the reason why there is none.
    """
    settings = build(CalibrationSettings, config["calibration"], "calibration")
    for used in settings.used:
        if used.kind != "reference":
            continue
        path = Path(used.file)
        device = path.name
        try:
            device = read_calibration(path, "reference").device
            name = _view_of(config, device)
            with open_camera(config, name, settings.pictures) as camera:
                picture, _ = next_picture(camera, None, PATIENCE_S)
            yield name, compare(path, picture, settings.drift)
        except (ConfigError, CameraError) as error:
            yield device, str(error)


def drift_text(drift: Drift | str) -> str:
    """Return the result of a comparison in one line."""
    if isinstance(drift, str):
        return drift
    if drift.moved:
        return (
            f"MOVED: its picture has shifted by {drift.motion_px:.1f} px since the reference; calibrate hand-eye "
            "again, or move it back"
        )
    return f"in place: {drift.resting} of {drift.expected} edge points have not moved"


def _given(options: argparse.Namespace, config: Mapping[str, Any]) -> Iterator[tuple[str, Drift | str]]:
    """Compare the camera, or each picture of the folder, with the given reference."""
    settings = build(CalibrationSettings, config["calibration"], "calibration")
    found = read_calibration(options.reference, "reference")
    if options.camera is not None and (name := camera_name(config, options.camera).device) != found.device:
        raise CalibrationError(
            f"{options.reference}: expected the reference of camera {name}, found that of {found.device}"
        )
    if options.pictures is not None:
        for name, picture in read_folder(options.pictures):
            yield name, compare(options.reference, picture, settings.drift)
        return
    view = options.camera or _view_of(config, found.device)
    with open_camera(config, view, settings.pictures) as camera:
        picture, _ = next_picture(camera, None, PATIENCE_S)
    yield view, compare(options.reference, picture, settings.drift)


def _view_of(config: Mapping[str, Any], device: str) -> str:
    """Return the view whose camera has that serial number or name."""
    views = config["camera"].get("views") or {}
    for name in views:
        if camera_name(config, name).device == device:
            return str(name)
    raise ConfigError(
        f"camera.views: expected the camera {device!r} of the reference, found {', '.join(views) or 'none'}"
    )

"""Pictures for a calibration: files of a folder, or a configured camera."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from steadyhand.robot_envs.camera import Camera
from steadyhand.robot_envs.hardware import RobotSetup, find_camera, find_robot, is_behind_ros
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.camera_calibration_settings import PicturesConfig
from steadyhand.runtime.clock import MonotonicClock

__all__ = [
    "CameraName",
    "add_source",
    "camera_name",
    "next_picture",
    "open_camera",
    "read_folder",
    "read_picture",
    "view_of",
    "whole_view",
]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
WHOLE = {"left": 0.0, "top": 0.0, "width": 1.0, "height": 1.0}
POLL_S = 0.01
DEFAULT_FOLDER = Path("calibrations")

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class CameraName:
    """A camera's name in a calibration file, and the settings that identify it."""

    device: str
    belongs_to: dict[str, Any]


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the options that every step of a camera has."""
    parser.add_argument("--camera", metavar="NAME", required=True, help="view of the camera: camera.views.NAME")
    parser.add_argument("--pictures", metavar="DIR", type=Path, help="a folder of pictures, in place of the camera")
    parser.add_argument(
        "--output", metavar="DIR", type=Path, default=DEFAULT_FOLDER, help="folder of the file (calibrations)"
    )


def camera_name(config: Mapping[str, Any], name: str) -> CameraName:
    """Return the identity of a view: its serial number if it has one. The view need not be configured."""
    view = (config["camera"].get("views") or {}).get(name)
    device = view.get("device") if isinstance(view, Mapping) else None
    serial = device.get("serial") if isinstance(device, Mapping) else None
    if serial is None:
        return CameraName(name, {})
    return CameraName(str(serial), {f"camera.views.{name}.device.serial": serial})


def view_of(config: Mapping[str, Any], device: str) -> str:
    """Return the view whose camera has that serial number or name.

    Raises:
        ConfigError: There is none.
    """
    views = config["camera"].get("views") or {}
    for name in views:
        if camera_name(config, name).device == device:
            return str(name)
    raise ConfigError(
        f"camera.views: expected the camera {device!r} of the reference, found {', '.join(views) or 'none'}"
    )


def read_folder(folder: Path) -> list[tuple[str, Pixels]]:
    """Read all pictures of a folder in the order of their names; return name and pixels (h, w, 3) RGB of each.

    Raises:
        CalibrationError: There is no such folder, it has no picture, or a picture cannot be read.
    """
    if not folder.is_dir():
        raise CalibrationError(f"{folder}: expected a folder of pictures, found none")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise CalibrationError(f"{folder}: expected pictures ({', '.join(SUFFIXES)}), found none")
    return [(path.name, read_picture(path)) for path in paths]


def read_picture(path: Path) -> Pixels:
    """Read one picture (h, w, 3) RGB, uint8.

    Raises:
        CalibrationError: The picture cannot be read.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError):
        raise CalibrationError(f"{path}: expected a picture, found a file that cannot be read as one") from None


def whole_view(view: Mapping[str, Any], wanted: PicturesConfig) -> dict[str, Any]:
    """Return the values of a view that shows the camera's whole picture, at the size of the calibration."""
    return {**view, "crop": WHOLE, "width": wanted.width, "height": wanted.height}


@contextmanager
def open_camera(config: Mapping[str, Any], name: str, wanted: PicturesConfig) -> Iterator[Camera]:
    """Open a configured camera for its whole picture, without the view's crop.

    Raises:
        ConfigError: There is no such view, or only the ROS 2 actor can open it.
        CameraError: The camera cannot be opened.
    """
    views = config["camera"].get("views") or {}
    if name not in views:
        found = ", ".join(views) or "none"
        raise ConfigError(f"camera.views: expected a view {name!r}, found {found}; choose one, or give --pictures")
    if is_behind_ros(config["robot"]) and "entry_point" not in views[name]:
        raise ConfigError(
            f"camera.views.{name}: expected a camera that this process can open, found an image topic of ROS; save "
            "pictures of it, and give them with --pictures"
        )
    view = whole_view(views[name], wanted)
    world = None
    if "entry_point" in view:
        component = find_camera(name, view, RobotSetup)  # type: ignore[type-abstract]
    else:
        setup = find_robot(config["robot"])
        component = find_camera(name, view, setup.type)
        if setup.type.simulated:
            world = setup.make(config["task"]["scene"]).make().world
    camera = component.make(name, world)
    camera.connect()
    try:
        yield camera
    finally:
        camera.close()


def next_picture(camera: Camera, last: int | None, patience_s: float) -> tuple[Pixels, int]:
    """Return the next picture and its counter; a picture whose counter is `last` is not new.

    Raises:
        CalibrationError: The camera sends no new picture in time.
    """
    clock = MonotonicClock()
    end_ns = clock.now_ns() + round(patience_s * 1e9)
    while True:
        frame = camera.latest()
        if frame.counter != last:
            return frame.pixels.copy(), frame.counter
        now_ns = clock.now_ns()
        if now_ns > end_ns:
            raise CalibrationError(
                f"camera {camera.name!r}: expected a new picture within {patience_s:g} s, found none"
            )
        clock.sleep_until(now_ns + round(POLL_S * 1e9))

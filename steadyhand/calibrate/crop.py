"""Choose the part of a camera's picture that its frames show: given, projected, or from what moves with the tool."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibrate.opened import add_here, add_output, arm_task, composed_step, opened_cell, save
from steadyhand.calibration.cell import Cell, MotionSettings
from steadyhand.calibration.collecting import fresh_frame
from steadyhand.calibration.crop_region import CropSettings, change_of, crop_around, crop_of_change, pixels_of_points
from steadyhand.calibration.drawing import rectangle_png
from steadyhand.calibration.rotations import matrix_from_quat
from steadyhand.robot_envs.camera import Crop
from steadyhand.robot_envs.frames import Array, pose_compose
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.runtime.calibration_file import CalibrationError, read_calibration
from steadyhand.settings import Settings, read_settings
from steadyhand.terminal import say

__all__ = ["EPILOG", "CropStep", "add_options", "run"]

EPILOG = (
    "--rectangle gives the crop. --region projects a box of the base frame, with the camera's intrinsics and hand-eye\n"
    "files. Without both, the tool moves through a small box (calibrate.region.side_m), and the crop is where the\n"
    "picture changes; with --fingers, where it changes as the gripper closes and opens there. The rectangle has the\n"
    "aspect of the frames; --picture is the size of the camera's own picture.\n"
    "example: steadyhand calibrate crop --view side --fingers device=none camera=wrist_side task=pick_place"
)
WHOLE = {"left": 0.0, "top": 0.0, "width": 1.0, "height": 1.0}
PINHOLE = ("fx_px", "fy_px", "cx_px", "cy_px")


@dataclass(frozen=True)
class CropStep:
    """Numbers of the step.

    Attributes:
        region: Margin and bounds.
        motion: Motion of the tool.
    """

    region: CropSettings
    motion: MotionSettings


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the step."""
    add_here(parser)
    add_output(parser)
    parser.add_argument("--view", metavar="NAME", required=True, help="name of the view, such as wrist")
    parser.add_argument("--picture", metavar=("W", "H"), nargs=2, type=int, help="size of the whole picture [pixels]")
    parser.add_argument(
        "--rectangle", metavar=("L", "T", "W", "H"), nargs=4, type=float, help="the crop in shares of the picture"
    )
    parser.add_argument(
        "--region", metavar="M", nargs=6, type=float, help="box of the base frame: x y z low, then high [m]"
    )
    parser.add_argument("--fingers", action="store_true", help="only the gripper's motion counts: it closes and opens")
    parser.add_argument("--intrinsics", metavar="FILE", type=Path, help="calibration file of the camera, for --region")
    parser.add_argument("--hand-eye", metavar="FILE", type=Path, help="calibration file of its pose, for --region")


def run(options: argparse.Namespace, overrides: Sequence[str], hardware: Hardware | None = None) -> int:
    """Find the rectangle, and write the file with a picture."""
    settings, step = composed_step("crop", overrides, CropStep)
    task = arm_task(settings)
    settings = _uncropped(settings, options.view)
    view = settings.composed["camera"]["views"][options.view]
    size = tuple(options.picture) if options.picture else (int(view["width"]), int(view["height"]))
    _check(options, size)
    aspect = float(view["width"] / view["height"])  # of a rectangle in the camera's picture with square pixels
    with opened_cell(settings, step.motion, [options.view], hardware, not options.here) as cell:
        pictures, how = None, "given"
        if options.rectangle is not None:
            crop = Crop(*options.rectangle)
        elif options.region is not None:
            pixels, own_size = _projected(options, cell)
            crop, how = crop_around(pixels, own_size, aspect, step.region), "projected"
        else:
            open_m = task.drive.gripper_open_m if options.fingers else None
            change, pictures = _moved(cell, step, open_m)
            how = "fingers" if options.fingers else "moved"
            # The frame shows the whole picture, stretched to the frame's size.
            stretch = (change.shape[1] / size[0]) / (change.shape[0] / size[1])
            crop = crop_of_change(change, aspect * stretch, step.region)
        if pictures is None:
            pictures = fresh_frame(cell, cell.cameras[0]).pixels[None]
    values = {"left": crop.left, "top": crop.top, "width": crop.width, "height": crop.height}
    save(
        options.out,
        "crop",
        options.view,
        belongs_to=_owner(settings, options.view),
        sets={f"camera.views.{options.view}.crop": values},
        values={"how": how, "picture_px": list(size)},
        residuals={"kept_share": crop.width * crop.height},
        png=rectangle_png(pictures[-1], crop),
    )
    return 0


def _uncropped(settings: Settings, view: str) -> Settings:
    """Return the settings with the whole picture in the frames of one view.

    Raises:
        CalibrationError: There is no such view.
    """
    views = settings.composed["camera"]["views"]
    if view not in views:
        raise CalibrationError(f"--view {view}: expected one of {', '.join(views) or 'none'}; give camera=...")
    whole = {**views, view: {**views[view], "crop": WHOLE}}
    return read_settings({**settings.composed, "camera": {"views": whole}})


def _check(options: argparse.Namespace, size: Sequence[int]) -> None:
    if min(size) < 1:
        raise CalibrationError(f"--picture: expected a size of at least 1 pixel, found {list(size)}")
    if options.rectangle is not None:
        try:
            Crop(*options.rectangle)
        except ValueError as error:
            raise CalibrationError(f"--rectangle: {error}") from None
    if options.region is not None:
        low, high = options.region[:3], options.region[3:]
        if not all(a < b for a, b in zip(low, high, strict=True)):
            raise CalibrationError(f"--region: expected low < high for x, y and z, found {options.region}")
        if options.intrinsics is None or options.hand_eye is None:
            raise CalibrationError("--region: expected --intrinsics and --hand-eye too, found only some of them")
        if options.rectangle is not None:
            raise CalibrationError("--region: expected it alone, found --rectangle too")


def _projected(options: argparse.Namespace, cell: Cell) -> tuple[Array, tuple[int, int]]:
    """Return the pixels of the region's corners (8, 2), and the size of the picture that they are in.

    The lens is taken as a pinhole: the margin covers its distortion.
    """
    camera = read_calibration(options.intrinsics, "intrinsics").values
    if missing := [name for name in ("width", "height", *PINHOLE) if name not in camera]:
        raise CalibrationError(f"{options.intrinsics}: expected values.{missing[0]}, found none; calibrate again")
    fx, fy, cx, cy = (float(camera[name]) for name in PINHOLE)
    matrix = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
    pose = _camera_in_base(options.hand_eye, cell)
    low, high = np.array(options.region[:3]), np.array(options.region[3:])
    ends = np.array([low, high])
    corners = np.array([[ends[i, 0], ends[j, 1], ends[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    points = (corners - pose[:3]) @ matrix_from_quat(pose[3:])
    return pixels_of_points(points, matrix), (int(camera["width"]), int(camera["height"]))


def _camera_in_base(path: Path, cell: Cell) -> Array:
    """Return the camera's pose in the base frame (7,): fixed, or at the tool as it is now."""
    values = read_calibration(path, "hand_eye").values
    pose = np.array([*values.get("position_m", ()), *values.get("quat_xyzw", ())], np.float64)
    if pose.shape != (7,) or values.get("frame") not in ("tool", "base"):
        raise CalibrationError(f"{path}: expected frame, position_m and quat_xyzw of the camera, found others")
    return pose if values["frame"] == "base" else pose_compose(cell.pose, pose)


def _moved(cell: Cell, step: CropStep, open_m: float | None) -> tuple[Array, NDArray[np.uint8]]:
    """Move the tool to the corners of the small box, and return the change of each pixel and the pictures.

    Args:
        cell: The cell with the camera.
        step: Numbers of the step.
        open_m: Opening of the gripper [m]: at each corner it closes and opens, and only that change counts. None = the
            change from corner to corner.

    Returns:
        The change (height, width) in levels, and the pictures (n, height, width, 3).
    """
    cell.check_inside()
    start, half = cell.pose.copy(), 0.5 * np.array(step.region.side_m)
    low, high = (start[:3] + sign * half for sign in (-1.0, 1.0))
    low, high = (cell.limits.region.clip(at[None], start[None, 3:])[0] for at in (low, high))
    corners = [[x, y, z] for z in (low[2], high[2]) for x, y in _around(low, high)]
    say(f"moving the tool to {len(corners)} corners of a box of {np.round(high - low, 3).tolist()} m")
    changes, pictures = [], []
    for at in [*corners, start[:3]]:
        pose = np.concatenate([at, start[3:]])
        for width_m in (None,) if open_m is None else (0.0, open_m):
            cell.move_to(pose, width_m)
            pictures.append(fresh_frame(cell, cell.cameras[0]).pixels.copy())
        if open_m is not None:
            changes.append(change_of(np.array(pictures[-2:])))
    found = np.array(pictures)
    return (change_of(found) if open_m is None else np.max(changes, axis=0)), found


def _around(low: Array, high: Array) -> list[tuple[float, float]]:
    return [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])]


def _owner(settings: Settings, view: str) -> dict[str, Any]:
    """Return the size of the frames, and the camera's serial number where the view names one."""
    values = settings.composed["camera"]["views"][view]
    keys = [key for key in ("serial", "width", "height") if values.get(key) is not None]
    return {f"camera.views.{view}.{key}": values[key] for key in keys}

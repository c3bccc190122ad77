"""Measure a camera's pose on the tool or beside the robot, from pictures of the board and the TCP's poses."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibrate.picture_source import add_source, camera_name, read_folder
from steadyhand.calibration.board import BoardError, find_corners
from steadyhand.calibration.camera_model import CameraModel, read_camera_model
from steadyhand.calibration.hand_eye import HandEye, Mount, calibrate_hand_eye
from steadyhand.calibration.pose_file import read_poses
from steadyhand.calibration.residual_plot import residual_picture
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import CalibrationError, read_calibration, write_calibration
from steadyhand.runtime.calibration_settings import CalibrationSettings
from steadyhand.runtime.config import compose
from steadyhand.terminal import say, table_text

__all__ = ["EPILOG", "add_options", "hand_eye_from_pictures", "run"]

EPILOG = (
    "The file of poses has one row for each picture, in the order of the pictures' names: CSV with the columns\n"
    "x, y, z [m], qx, qy, qz, qw and perhaps picture, or JSON. 15 to 25 poses, turned about different axes, are good.\n"
    "example: steadyhand calibrate hand-eye --camera wrist --mount tool --pictures photos --poses poses.csv \\\n"
    "           --intrinsics calibrations/intrinsics-wrist-20260101-120000.yaml"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the pictures, the poses, the intrinsics and the mount."""
    add_source(parser)
    parser.add_argument("--poses", metavar="FILE", type=Path, help="measured poses of the TCP in base")
    parser.add_argument("--intrinsics", metavar="FILE", type=Path, required=True, help="file of `calibrate intrinsics`")
    parser.add_argument(
        "--mount", choices=["tool", "base"], required=True, help="tool = on the arm; base = beside the robot"
    )
    parser.add_argument("--refine-intrinsics", action="store_true", help="refine the intrinsics with the same pictures")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Calibrate, and write the file."""
    config = compose(overrides)
    settings = build(CalibrationSettings, config["calibration"], "calibration")
    name = camera_name(config, options.camera)
    model = read_camera_model(options.intrinsics)
    owner = read_calibration(options.intrinsics, "intrinsics").device
    if owner != name.device:
        raise CalibrationError(
            f"{options.intrinsics}: expected the intrinsics of camera {name.device}, found those of {owner}"
        )
    if options.pictures is None or options.poses is None:
        raise CalibrationError("expected --pictures DIR and --poses FILE, found only one of them or neither")
    poses, names = read_poses(options.poses)
    pictures = _in_order(read_folder(options.pictures), names, options)
    if len(pictures) != len(poses):
        raise CalibrationError(
            f"{options.poses}: expected one pose for each of {len(pictures)} pictures, found {len(poses)}"
        )
    found = hand_eye_from_pictures(pictures, poses, model, options.mount, settings, options.refine_intrinsics)
    path = write_hand_eye(options.output, name.device, name.belongs_to, found)
    rows = [
        ["position [mm]", *(f"{1e3 * value:.2f}" for value in found.camera[:3])],
        ["deviation [mm]", *(f"{1e3 * value:.2f}" for value in found.position_std_m)],
        ["deviation [deg]", *(f"{value:.3f}" for value in np.degrees(found.rotation_std_rad))],
    ]
    say(table_text([f"camera in {found.mount}", "x", "y", "z"], rows))
    hold_out = found.hold_out
    say(f"used {found.used.sum()} of {len(found.used)} poses, error {found.rms_px:.3f} px")
    say(f"poses left out: {hold_out.px:.3f} px, {hold_out.mm:.2f} mm, {hold_out.deg:.3f} deg")
    say(f"{path}")
    return 0


def hand_eye_from_pictures(
    pictures: Sequence[tuple[str, NDArray[np.uint8]]],
    poses: Array,
    model: CameraModel,
    mount: Mount,
    settings: CalibrationSettings,
    refine_intrinsics: bool = False,
) -> HandEye:
    """Calibrate from pictures; those that do not show the board are left out, with a line that says why.

    Args:
        pictures: Name and pixels (h, w, 3) RGB of each.
        poses: TCP in base of each. Shape (n, 7): position [m], quaternion xyzw.
        model: The camera's intrinsics.
        mount: tool = the camera is on the tool; base = beside the robot.
        settings: Board, requirements and noise.
        refine_intrinsics: Whether the intrinsics are refined too.

    Raises:
        CalibrationError: No picture shows the board, or as for `calibrate_hand_eye`.
    """
    shown, kept, reasons = [], [], []
    wanted = settings.pictures
    for number, (name, picture) in enumerate(pictures):
        try:
            shown.append(find_corners(settings.board, picture, wanted.max_edge_px, wanted.min_corners))
            kept.append(number)
        except BoardError as error:
            say(f"{name}: left out: {error}")
            reasons.append(str(error))
    if not shown:
        raise CalibrationError(reasons[0] if reasons else "expected pictures of the board, found none")
    found = calibrate_hand_eye(settings.board, shown, poses[kept], model, mount, settings.hand_eye, refine_intrinsics)
    for number in np.flatnonzero(~found.used).tolist():
        say(f"{pictures[kept[number]][0]}: left out: error of {found.view_px[number]:.1f} px, its pose disagrees")
    return found


def write_hand_eye(folder: Path, device: str, belongs_to: dict[str, object], found: HandEye) -> Path:
    """Write the file of a hand-eye calibration, and return its path."""
    model = found.model
    return write_calibration(
        folder,
        "hand_eye",
        device,
        belongs_to=belongs_to,
        sets={},
        values={
            "frame": found.mount,
            "position_m": found.camera[:3].tolist(),
            "quat_xyzw": found.camera[3:].tolist(),
            "position_std_m": found.position_std_m.tolist(),
            "rotation_std_rad": found.rotation_std_rad.tolist(),
            "board_frame": "base" if found.mount == "tool" else "tool",
            "board_position_m": found.board[:3].tolist(),
            "board_quat_xyzw": found.board[3:].tolist(),
            "width": model.width,
            "height": model.height,
            "fx_px": model.fx_px,
            "fy_px": model.fy_px,
            "cx_px": model.cx_px,
            "cy_px": model.cy_px,
            "distortion": list(model.distortion),
        },
        residuals={
            "rms_px": found.rms_px,
            "rms_mm": float(np.sqrt(np.mean(found.view_mm[found.used] ** 2))),
            "rms_deg": float(np.sqrt(np.mean(found.view_deg[found.used] ** 2))),
            "hold_out_px": found.hold_out.px,
            "hold_out_mm": found.hold_out.mm,
            "hold_out_deg": found.hold_out.deg,
            "poses": int(found.used.sum()),
            "removed_poses": int((~found.used).sum()),
            "scale": found.scale,
        },
        png=residual_picture(model.width, model.height, found.pixels, found.residuals_px),
    )


def _in_order(
    pictures: list[tuple[str, NDArray[np.uint8]]], names: list[str] | None, options: argparse.Namespace
) -> list[tuple[str, NDArray[np.uint8]]]:
    """Return the pictures in the order of the poses."""
    if names is None:
        return pictures
    by_name = dict(pictures)
    if missing := [name for name in names if name not in by_name]:
        raise CalibrationError(f"{options.poses}: expected pictures of {options.pictures}, found {missing[0]!r}")
    return [(name, by_name[name]) for name in names]

"""Measure a camera's focal length, centre and distortion from pictures of the board."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibrate.picture_source import add_source, camera_name, next_picture, open_camera, read_folder
from steadyhand.calibration.board import BoardError, Corners, find_corners
from steadyhand.calibration.coverage import advice, coverage_of
from steadyhand.calibration.intrinsics import Intrinsics, calibrate_intrinsics
from steadyhand.calibration.residual_plot import residual_picture
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import CalibrationError, write_calibration
from steadyhand.runtime.calibration_settings import CalibrationSettings
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.config import compose
from steadyhand.terminal import say

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = (
    "Move the board by hand and hold it still; a view is taken when it shows something new.\n"
    "examples: steadyhand calibrate intrinsics --camera wrist camera=wrist_side\n"
    "          steadyhand calibrate intrinsics --camera wrist --pictures photos"
)
PATIENCE_S = 5.0
NEW_PX = 20.0  # a view is new if its corners are this far from those of every other view, as a root mean square
STILL_PX = 1.0  # the board is still if its corners moved by less than this from one picture to the next


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the source of the pictures and for their number."""
    add_source(parser)
    parser.add_argument("--views", metavar="N", type=int, default=20, help="views to take with the camera (20)")
    parser.add_argument("--seconds", metavar="S", type=float, default=180.0, help="time limit with the camera (180)")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Take the views, calibrate, and write the file."""
    config = compose(overrides)
    settings = build(CalibrationSettings, config["calibration"], "calibration")
    name = camera_name(config, options.camera)
    views = list(
        _from_camera(options, config, settings) if options.pictures is None else _from_folder(options, settings)
    )
    found = calibrate_intrinsics(settings.board, views, settings.pictures)
    camera = found.camera
    png = residual_picture(camera.width, camera.height, found.pixels, found.residuals_px)
    path = write_calibration(
        options.output,
        "intrinsics",
        name.device,
        belongs_to=name.belongs_to,
        sets={},
        values=_values(found),
        residuals={
            "rms_px": found.rms_px,
            "views": int(found.used.sum()),
            "removed_views": int((~found.used).sum()),
        },
        png=png,
    )
    std = found.std
    say(f"focal length  {camera.fx_px:.2f} +- {std[0]:.2f}, {camera.fy_px:.2f} +- {std[1]:.2f} px")
    say(f"centre        {camera.cx_px:.2f} +- {std[2]:.2f}, {camera.cy_px:.2f} +- {std[3]:.2f} px")
    say(f"error         {found.rms_px:.3f} px over {found.used.sum()} of {len(found.used)} views")
    say(f"{path}")
    return 0


def _values(found: Intrinsics) -> dict[str, Any]:
    camera = found.camera
    return {
        "width": camera.width,
        "height": camera.height,
        "fx_px": camera.fx_px,
        "fy_px": camera.fy_px,
        "cx_px": camera.cx_px,
        "cy_px": camera.cy_px,
        "distortion": list(camera.distortion),
        "std": found.std.tolist(),
        "view_rms_px": found.view_rms_px.tolist(),
    }


def _from_folder(options: argparse.Namespace, settings: CalibrationSettings) -> Iterator[Corners]:
    """Yield the corners of every usable picture; print why others are not."""
    wanted = settings.pictures
    reasons = []
    seen = 0
    for name, picture in read_folder(options.pictures):
        try:
            corners = find_corners(settings.board, picture, wanted.max_edge_px, wanted.min_corners)
        except BoardError as error:
            say(f"{name}: left out: {error}")
            reasons.append(str(error))
            continue
        seen += 1
        say(f"{name}: {len(corners.ids)} corners")
        yield corners
    if seen == 0:
        raise CalibrationError(f"{options.pictures}: {reasons[0]}")


def _from_camera(
    options: argparse.Namespace, config: Mapping[str, Any], settings: CalibrationSettings
) -> Iterator[Corners]:
    """Yield the corners of views as the camera shows new ones; print what is missing."""
    wanted, board = settings.pictures, settings.board
    clock = MonotonicClock()
    taken: list[Corners] = []
    before: Corners | None = None
    said = ""
    with open_camera(config, options.camera, wanted) as camera:
        end_ns = clock.now_ns() + round(options.seconds * 1e9)
        counter: int | None = None
        while len(taken) < options.views and clock.now_ns() < end_ns:
            picture, counter = next_picture(camera, counter, PATIENCE_S)
            corners, reason = _seen(board, picture, settings)
            if corners is None:
                said = _say_once(reason, said)
                before = None
                continue
            still = before is not None and _apart(before, corners) < STILL_PX
            before = corners
            if not still or any(_apart(view, corners) < NEW_PX for view in taken):
                continue
            taken.append(corners)
            missing = advice(coverage_of(board, taken, wanted.min_tilt_deg), board, wanted.min_views)
            said = _say_once(
                f"view {len(taken)}: {len(corners.ids)} corners; {missing[0] if missing else 'all is covered'}", said
            )
            yield corners
            if not missing:
                return


def _seen(board: Any, picture: NDArray[np.uint8], settings: CalibrationSettings) -> tuple[Corners | None, str]:
    wanted = settings.pictures
    try:
        return find_corners(board, picture, wanted.max_edge_px, wanted.min_corners), ""
    except BoardError as error:
        return None, str(error)


def _apart(a: Corners, b: Corners) -> float:
    """Return the root mean square distance of the corners that both views show [px]; infinite if they share none."""
    _, at_a, at_b = np.intersect1d(a.ids, b.ids, return_indices=True)
    if len(at_a) == 0:
        return float("inf")
    return float(np.sqrt(np.mean(np.sum((a.pixels[at_a] - b.pixels[at_b]) ** 2, axis=1))))


def _say_once(line: str, said: str) -> str:
    if line != said:
        say(line)
    return line

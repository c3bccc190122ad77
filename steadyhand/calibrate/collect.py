"""Turn the tool about the board, and save the pictures of one camera and the tool's poses, for intrinsics and hand-eye.

The robot moves by itself, through the safety gate at reduced speed, and stays inside the workspace.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from steadyhand.calibrate.opened import add_here, composed_step, opened_cell, with_whole_pictures
from steadyhand.calibration.cell import MotionSettings
from steadyhand.calibration.collecting import visit
from steadyhand.calibration.pose_set import PoseSetSettings, is_inside, poses_about
from steadyhand.output import check_output
from steadyhand.robot_envs.frames import Array, quat_rotate
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.ranges import expect, expect_at_least
from steadyhand.runtime.run_folder import atomic_write_bytes
from steadyhand.terminal import say

__all__ = ["EPILOG", "CollectStep", "add_options", "run"]

EPILOG = (
    "Begin with the camera facing the board, or with the board in the gripper and calibrate.board_distance_m=0.\n"
    "example: steadyhand calibrate collect --camera wrist --output photos robot=my_arm, then\n"
    "         steadyhand calibrate intrinsics --camera wrist --pictures photos, then\n"
    "         steadyhand calibrate hand-eye --camera wrist --mount tool --pictures photos --poses photos/poses.csv ..."
)
COLUMNS = "picture,x,y,z,qx,qy,qz,qw"


@dataclass(frozen=True)
class CollectStep:
    """Numbers of the step.

    Attributes:
        motion: Motion between the poses.
        board_distance_m: Distance of the board's middle from the tool centre point, along the tool's z axis.
        offsets_m: Shifts along the tool's z axis, each for the next pose. Turns about one point alone leave the
            camera's distance from it undetermined.
        poses: The turns.
    """

    motion: MotionSettings
    board_distance_m: float
    offsets_m: tuple[float, ...]
    poses: PoseSetSettings

    def __post_init__(self) -> None:
        expect_at_least(self, 0.0, "board_distance_m")
        expect(len(set(self.offsets_m)) >= 2, "offsets_m", "at least two shifts", list(self.offsets_m))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the step."""
    add_here(parser)
    parser.add_argument("--camera", metavar="NAME", required=True, help="view of the camera: camera.views.NAME")
    parser.add_argument("--output", metavar="DIR", type=Path, required=True, help="a new folder for pictures and poses")


def run(options: argparse.Namespace, overrides: Sequence[str], hardware: Hardware | None = None) -> int:
    """Visit the poses, and write the folder."""
    if options.output.exists():
        raise CalibrationError(f"{options.output}: expected a new folder, found one that exists; give another --output")
    check_output(options.output, "--output")
    settings, step = composed_step("collect", overrides, CollectStep)
    settings = with_whole_pictures(settings, (options.camera,))
    with opened_cell(settings, step.motion, (options.camera,), hardware, not options.here) as cell:
        cell.check_inside()
        start = cell.pose.copy()
        middle = start[:3] + quat_rotate(start[3:], np.array([0.0, 0.0, step.board_distance_m]))
        turned = poses_about(start, middle, cell.limits, step.poses)
        targets = _shifted(turned, step, cell.limits)
        say(f"turning to {len(targets)} poses about {np.round(middle, 3).tolist()} m")
        seen = visit(cell, targets, note=lambda number: say(f"  pose {number} of {len(targets)}"))
        cell.move_to(start)
    _write(options.output, seen.pictures[options.camera], seen.poses)
    say(f"{options.output}: {len(seen.poses)} pictures and poses.csv")
    return 0


def _shifted(poses: Array, step: CollectStep, limits: SafetyLimits) -> Array:
    """Return the poses (n, 7), each shifted along its z axis where that keeps it inside the workspace."""
    shifts = np.resize(np.asarray(step.offsets_m), len(poses))
    moved = poses.copy()
    moved[:, :3] += quat_rotate(poses[:, 3:], shifts[:, None] * np.array([0.0, 0.0, 1.0]))
    fits = np.array([is_inside(pose, limits, step.poses) for pose in moved])
    return np.where(fits[:, None], moved, poses)


def _write(folder: Path, pictures: NDArray[np.uint8], poses: Array) -> None:
    folder.mkdir(parents=True)
    rows = [COLUMNS]
    for number, (picture, pose) in enumerate(zip(pictures, poses, strict=True)):
        name, png = f"{number:02d}.png", io.BytesIO()
        Image.fromarray(picture).save(png, "PNG")
        atomic_write_bytes(folder / name, png.getvalue())
        rows.append(",".join([name, *(f"{value:.9g}" for value in pose)]))
    atomic_write_bytes(folder / "poses.csv", "".join(f"{row}\n" for row in rows).encode())

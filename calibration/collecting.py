"""Visits of poses through the safety gate: the measured pose, the wrench and the pictures at each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibration.cell import Cell
from steadyhand.robot_envs.camera import Camera, Frame
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError

__all__ = ["Visits", "fresh_frame", "visit"]

_WAIT_S = 2.0  # longest wait for a frame that was taken after the arm came to rest


@dataclass(frozen=True)
class Visits:
    """Readings at rest at each pose.

    Attributes:
        poses: Measured poses of the tool centre point, base frame. Shape (n, 7); [m], xyzw.
        wrenches: Mean wrench of the environment on the tool, tool frame. Shape (n, 6); [N], [Nm].
        pictures: Picture of each camera at each pose, by name. Shape (n, height, width, 3); uint8.
    """

    poses: Array
    wrenches: Array
    pictures: dict[str, NDArray[np.uint8]]


def visit(
    cell: Cell, poses: Array, *, n_readings: int = 1, note: Callable[[int], None] = lambda number: None
) -> Visits:
    """Move to each pose, wait until the arm is at rest, and read.

    Args:
        cell: The arm, open and inside its workspace.
        poses: Targets, base frame. Shape (n, 7); [m], xyzw.
        n_readings: Readings of the wrench that are averaged at each pose.
        note: Called with the number of each visited pose, from 1.

    Raises:
        CalibrationError: A pose is outside of the workspace, or cannot be reached; a camera is silent.
        CellStopError: A stop on the way.
    """
    cell.check_inside()
    seen, wrenches = [], []
    pictures: dict[str, list[NDArray[np.uint8]]] = {camera.name: [] for camera in cell.cameras}
    for number, pose in enumerate(poses, start=1):
        cell.move_to(pose)
        wrenches.append(cell.mean_wrench(n_readings))
        seen.append(cell.pose)
        for camera in cell.cameras:
            pictures[camera.name].append(fresh_frame(cell, camera).pixels.copy())
        note(number)
    return Visits(np.array(seen), np.array(wrenches), {name: np.array(rows) for name, rows in pictures.items()})


def fresh_frame(cell: Cell, camera: Camera) -> Frame:
    """Return a frame that the camera has delivered after now.

    Raises:
        CalibrationError: None comes.
    """
    first, until_ns = camera.latest(), cell.clock.now_ns() + round(_WAIT_S * 1e9)
    while cell.clock.now_ns() < until_ns:
        cell.wait(cell.period_s)
        frame = camera.latest()
        if frame.counter != first.counter:
            return frame
    raise CalibrationError(f"camera {camera.name!r}: expected a new frame within {_WAIT_S:g} s, found none; is it on?")

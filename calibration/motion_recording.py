"""A known motion through the safety gate, with the commands, the measured positions and the pictures on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibration.cell import Cell
from steadyhand.calibration.chirp import Chirp
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError

__all__ = ["MotionRecording", "Signal", "record_motion"]

_NS = 1_000_000_000


@dataclass(frozen=True)
class Signal:
    """A position along the motion's direction.

    Attributes:
        times_s: Times since the start of the motion. Shape (n,); [s].
        values_m: Displacement from the start. Shape (n,); [m].
    """

    times_s: Array
    values_m: Array


@dataclass(frozen=True)
class MotionRecording:
    """Everything that was sent and seen during one motion.

    Attributes:
        commanded: Targets, as the gate passed them, at the times at which they were sent.
        measured: Measured positions at the stamps of their states.
        frame_times_s: Stamps of the frames, by view. Shape (n,); [s].
        pictures: The frames, by view. Shape (n, height, width, 3); uint8.
    """

    commanded: Signal
    measured: Signal
    frame_times_s: dict[str, Array]
    pictures: dict[str, NDArray[np.uint8]]


def record_motion(cell: Cell, chirp: Chirp, poll_s: float, tail_s: float) -> MotionRecording:
    """Move the tool along the chirp from where it is, and record.

    Args:
        cell: The arm, open, at rest and inside its workspace.
        chirp: The motion.
        poll_s: Time between two readings of robot and cameras.
        tail_s: Time of recording after the motion, for frames that come late.

    Raises:
        CalibrationError: The motion is too fast for the cell's limits, or leaves its workspace.
        CellStopError: A stop on the way.
    """
    cell.check_inside()
    start = cell.pose.copy()
    unit = np.array(chirp.direction) / float(np.linalg.norm(chirp.direction))
    _check_room(cell, start, unit, chirp)
    began = due = cell.clock.now_ns()
    sent: list[tuple[float, float]] = []
    measured: dict[int, float] = {}
    frames: dict[str, dict[int, tuple[int, NDArray[np.uint8]]]] = {camera.name: {} for camera in cell.cameras}
    while (now := cell.clock.now_ns()) < began + round((chirp.duration_s + tail_s) * _NS):
        if now >= due:
            passed = cell.send(np.concatenate([start[:3] + chirp.offset((now - began) / _NS), start[3:]]))
            sent.append(((now - began) / _NS, float((passed[:3] - start[:3]) @ unit)))
            due = max(due + round(cell.period_s * _NS), now)
        for camera in cell.cameras:
            frame = camera.latest()
            if frame.counter not in frames[camera.name]:
                frames[camera.name][frame.counter] = (frame.stamp_ns, frame.pixels.copy())
        state = cell.wait(min(poll_s, max(due - now, 1) / _NS))
        measured[state.stamp_ns] = float((state.tcp_pose[0, :3] - start[:3]) @ unit)
    stamps = sorted(measured)
    return MotionRecording(
        Signal(*map(np.array, zip(*sent, strict=True))),
        Signal((np.array(stamps) - began) / _NS, np.array([measured[stamp] for stamp in stamps])),
        {name: (np.array([stamp for stamp, _ in rows.values()]) - began) / _NS for name, rows in frames.items()},
        {name: np.array([pixels for _, pixels in rows.values()]) for name, rows in frames.items()},
    )


def _check_room(cell: Cell, start: Array, unit: Array, chirp: Chirp) -> None:
    limits = cell.limits
    if chirp.max_speed_m_s > limits.max_tcp_speed_m_s:
        raise CalibrationError(
            f"latency: expected a motion of at most {limits.max_tcp_speed_m_s:g} m/s, found up to "
            f"{chirp.max_speed_m_s:.3f} m/s; lower calibrate.chirp.amplitude_m or last_hz"
        )
    for sign in (-1.0, 1.0):
        end = start[:3] + sign * chirp.amplitude_m * unit
        outside, _ = limits.region.excess(end.tolist(), start[3:].tolist())
        if outside > 0.0:
            raise CalibrationError(
                f"latency: expected {chirp.amplitude_m:g} m of room on both sides of the tool, found "
                f"{chirp.amplitude_m - outside:.3f} m; move the tool away from the wall of the workspace"
            )

"""Measure latencies: of the command path, and of each camera, while the arm makes a small smooth motion."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from steadyhand.calibrate.collected import read_collected, rows_of
from steadyhand.calibrate.opened import add_here, add_output, arm_task, composed_step, numbers, opened_cell, save
from steadyhand.calibration.cell import MotionSettings
from steadyhand.calibration.chirp import Chirp
from steadyhand.calibration.delay import Delay, delay_between
from steadyhand.calibration.drawing import curves_png
from steadyhand.calibration.motion_recording import MotionRecording, Signal, record_motion
from steadyhand.calibration.seen_motion import motion_channels
from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.ranges import expect_above, expect_at_least, expect_within
from steadyhand.settings import Settings
from steadyhand.terminal import say

__all__ = ["EPILOG", "LatencyStep", "add_options", "run"]

EPILOG = (
    "The tool moves a few millimetres to and fro (calibrate.chirp), through the safety gate. Every view has to see\n"
    "it, and nothing else may move. A view without --view is not measured; without any, all views of camera=... are.\n"
    "FILE has commanded and measured (times_s, values_m), and views: each with times_s and channels (rows).\n"
    "example: steadyhand calibrate latency robot=mock device=none camera=wrist_side"
)
COMMAND = "command"


@dataclass(frozen=True)
class LatencyStep:
    """Numbers of the step.

    Attributes:
        chirp: The motion.
        poll_s: Time between two readings of robot and cameras.
        tail_s: Time of recording after the motion.
        max_delay_s: Largest latency.
        step_s: Distance of the tried delays.
        n_channels: Main directions of change of the pictures that are used.
        degree: Highest power of the position in the path of the pictures along these directions.
        min_correlation: Least correlation of a valid result.
        smallest_s: Latency of a view below which its setting is 0.
        motion: Largest speeds.
    """

    chirp: Chirp
    poll_s: float
    tail_s: float
    max_delay_s: float
    step_s: float
    n_channels: int
    degree: int
    min_correlation: float
    smallest_s: float
    motion: MotionSettings

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "poll_s", "max_delay_s", "step_s")
        expect_at_least(self, 0.0, "tail_s", "smallest_s")
        expect_at_least(self, 1, "n_channels", "degree")
        expect_within(self, 0.0, 1.0, "min_correlation")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the step."""
    add_here(parser)
    add_output(parser, "signals")
    parser.add_argument(
        "--view", metavar="NAME", action="append", default=[], help="a view to measure; may be repeated"
    )


def run(options: argparse.Namespace, overrides: Sequence[str], hardware: Hardware | None = None) -> int:
    """Record the motion, and write the file."""
    settings, step = composed_step("latency", overrides, LatencyStep)
    arm_task(settings)
    views = options.view or list(settings.composed["camera"]["views"])
    if options.source is not None:
        commanded, measured, seen = _read(options.source, views)
    else:
        with opened_cell(settings, step.motion, views, hardware, not options.here) as cell:
            say(f"moving the tool {1e3 * step.chirp.amplitude_m:g} mm to and fro for {step.chirp.duration_s:g} s")
            recording = record_motion(cell, step.chirp, step.poll_s, step.tail_s)
        commanded, measured, seen = recording.commanded, recording.measured, _seen(recording, step)
    found = {COMMAND: _delay(step, _held(commanded), (measured.times_s, measured.values_m[:, None]), "arm")}
    for view, (times_s, channels) in seen.items():
        found[view] = _delay(step, measured, (times_s, channels), f"view {view}", step.degree)
    for name, delay in found.items():
        say(f"{name}: {1e3 * delay.delay_s:.1f} ms, correlation {delay.correlation:.3f}")
    name = str(settings.composed["robot"]["name"])
    save(
        options.out,
        "latency",
        name,
        belongs_to={"robot.name": name} | _owners(settings, list(seen)),
        sets={f"camera.views.{view}.latency_s": _setting(found[view], step.smallest_s) for view in seen},
        values={
            "command_latency_s": numbers(found[COMMAND].delay_s),
            "camera_latency_s": {view: numbers(found[view].delay_s) for view in seen},
        },
        residuals={f"{name}_correlation": delay.correlation for name, delay in found.items()},
        png=curves_png(
            {name: (delay.lags_s, delay.correlations) for name, delay in found.items()},
            {name: delay.delay_s for name, delay in found.items()},
            "s",
        ),
    )
    return 0


def _seen(recording: MotionRecording, step: LatencyStep) -> dict[str, tuple[Array, Array]]:
    return {
        view: (times_s, motion_channels(recording.pictures[view], step.n_channels))
        for view, times_s in recording.frame_times_s.items()
    }


def _delay(step: LatencyStep, leader: Signal, follower: tuple[Array, Array], what: str, degree: int = 1) -> Delay:
    return delay_between(
        (leader.times_s, leader.values_m),
        follower,
        step.max_delay_s,
        step_s=step.step_s,
        min_correlation=step.min_correlation,
        degree=degree,
        what=what,
    )


def _held(commanded: Signal) -> Signal:
    """Return the commands at the middle of the time for which each was held.

    A target that is kept for a period follows a smooth motion half a period late. That is not latency of the path.
    """
    times_s = commanded.times_s
    ends = np.append(times_s[1:], 2.0 * times_s[-1] - times_s[-2])
    return Signal(0.5 * (times_s + ends), commanded.values_m)


def _setting(delay: Delay, smallest_s: float) -> float:
    """Return the latency of a view as its setting; one that is too small to be told from none is 0."""
    return float(round(delay.delay_s, 4)) if delay.delay_s >= smallest_s else 0.0


def _read(path: Path, views: Sequence[str]) -> tuple[Signal, Signal, dict[str, tuple[Array, Array]]]:
    content = read_collected(path)
    signals = []
    for name in ("commanded", "measured"):
        part = _part(content, name, path)
        times_s, values_m = rows_of(part, "times_s", None, path), rows_of(part, "values_m", None, path)
        _check_times(times_s, len(values_m), name, path)
        signals.append(Signal(times_s, values_m))
    given = _part(content, "views", path) if "views" in content else {}
    seen: dict[str, tuple[Array, Array]] = {}
    for view in given:
        if view not in views:
            raise CalibrationError(f"{path}: views: expected some of {', '.join(views) or 'none'}, found {view}")
        part = _part(given, view, path)
        times_s = rows_of(part, "times_s", None, path)
        channels = part.get("channels")
        width = len(channels[0]) if isinstance(channels, list) and channels and isinstance(channels[0], list) else 1
        rows = rows_of(part, "channels", width, path)
        _check_times(times_s, len(rows), view, path)
        seen[str(view)] = times_s, rows
    return signals[0], signals[1], seen


def _part(content: Mapping[str, Any], name: str, path: Path) -> Mapping[str, Any]:
    part = content.get(name)
    if not isinstance(part, Mapping):
        raise CalibrationError(f"{path}: {name}: expected times_s and its rows, found {type(part).__name__}")
    return part


def _check_times(times_s: Array, n_rows: int, name: str, path: Path) -> None:
    if len(times_s) != n_rows or n_rows < 2 or not (np.diff(times_s) > 0.0).all():
        raise CalibrationError(
            f"{path}: {name}: expected rising times, one for each of at least two rows, found {len(times_s)} times and "
            f"{n_rows} rows"
        )


def _owners(settings: Settings, views: Sequence[str]) -> dict[str, Any]:
    """Return the serial number of each view that names one."""
    found = {view: settings.composed["camera"]["views"][view].get("serial") for view in views}
    return {f"camera.views.{view}.serial": serial for view, serial in found.items() if serial is not None}

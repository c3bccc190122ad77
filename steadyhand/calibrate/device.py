"""Measure the input device: which axis moves, and with which sign, when a person nudges it right, forward, up, ..."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from steadyhand.calibrate.collected import read_collected, rows_of
from steadyhand.calibrate.opened import add_output, composed_step, numbers, save
from steadyhand.calibration.nudge import (
    QUARTERS,
    Nudge,
    NudgeSettings,
    mapping_from_nudges,
    nudge_from_samples,
)
from steadyhand.robot_envs.devices.axes_device import AxesDevice
from steadyhand.robot_envs.devices.device import Device
from steadyhand.robot_envs.devices.make import input_name, is_over_ros
from steadyhand.robot_envs.devices.mapping import MappingConfig
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.clock import Clock, MonotonicClock
from steadyhand.runtime.component import find_component
from steadyhand.terminal import say

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = (
    "Nothing moves but the device. Nudge it as asked, as seen from where you stand, and let go. FILE has rest (rows\n"
    "of raw axes) and nudges: right, forward, up, turn left, tilt right, tilt forward, each with rows of raw axes.\n"
    "example: steadyhand calibrate device device=spacemouse --viewpoint facing\n"
    "example: steadyhand calibrate device device=gamepad 'calibrate.nudges=[right,up,turn left]'"
)
ONE_AXIS = (0, -1, -1, -1, -1, -1)  # any device with an axis is heard, also with a wrong mapping


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the step."""
    add_output(parser, "raw axes")
    parser.add_argument(
        "--viewpoint",
        choices=list(QUARTERS),
        default="behind",
        help="where you stand: behind the robot, facing it, or at its left or right (behind)",
    )


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Ask for the nudges, and write the file."""
    settings, step = composed_step("device", overrides, NudgeSettings)
    values = settings.composed["device"]
    name = input_name(values)
    if "mapping" not in values:
        raise CalibrationError(
            f"device: expected one with axes, such as spacemouse or gamepad, found {name}; its keys are set in YAML"
        )
    mapping = build(MappingConfig, values["mapping"], "device.mapping")
    if options.source is not None:
        rest, samples = _read(options.source, step)
    else:
        rest, samples = _asked(values, step, mapping.full_scale, name)
    nudges = {
        direction: nudge_from_samples(direction, rows, rest, mapping.full_scale, step)
        for direction, rows in samples.items()
    }
    axes, scale = mapping_from_nudges(nudges, mapping, options.viewpoint)
    for direction, nudge in nudges.items():
        say(f"{direction}: axis {nudge.axis}, {'rising' if nudge.sign > 0 else 'falling'} to {nudge.deflection:g}")
    save(
        options.out,
        "device",
        name,
        belongs_to={"device.kind": "joy"} if is_over_ros(values) else {"device.entry_point": values["entry_point"]},
        sets={"device.mapping.axes": list(axes), "device.mapping.scale": numbers(scale)},
        values={"rest": numbers(rest), "viewpoint": options.viewpoint, "nudges": _facts(nudges)},
        residuals={"largest_second_share": max(nudge.second_share for nudge in nudges.values())},
    )
    return 0


def _asked(
    values: Mapping[str, Any], step: NudgeSettings, full_scale: float, name: str
) -> tuple[Array, dict[str, Array]]:
    """Return the axes at rest (n_axes,), and those during each nudge (n, n_axes).

    Raises:
        CalibrationError: The device has no raw axes here, or a nudge did not come.
        DeviceError: The device is missing.
    """
    if is_over_ros(values):
        raise CalibrationError(
            f"device: {name} comes over ROS; record its axes with ros2 topic echo, and give --from FILE"
        )
    open_values = {**values, "mapping": {**values["mapping"], "axes": list(ONE_AXIS)}}
    device = find_component(open_values, Device, "device").make()  # type: ignore[type-abstract]
    if not isinstance(device, AxesDevice):
        raise CalibrationError(f"device: expected one with axes, such as spacemouse or gamepad, found {name}")
    clock = MonotonicClock()
    device.connect()
    try:
        say("let go of the device")
        rest = _rest(device, clock, step)
        samples: dict[str, list[Array]] = {}
        for direction in step.nudges:
            say(f"nudge it {direction}, and let go")
            samples[direction] = _nudge(device, clock, step, rest, full_scale, direction)
    finally:
        device.close()
    return _same_width(rest, samples)


def _rest(device: AxesDevice, clock: Clock, step: NudgeSettings) -> Array:
    """Return the median of the axes at rest; empty if the device reports nothing at rest."""
    until_ns, rows = clock.now_ns() + round(step.rest_s * 1e9), []
    while clock.now_ns() < until_ns:
        rows.append(np.array(device.raw_axes, np.float64))
        _pause(clock, step)
    widest = max(map(len, rows))
    return np.median([row for row in rows if len(row) == widest], axis=0)


def _nudge(
    device: AxesDevice, clock: Clock, step: NudgeSettings, rest: Array, full_scale: float, direction: str
) -> list[Array]:
    """Return the axes from the beginning of a nudge to its end."""
    until_ns, rows = clock.now_ns() + round(step.timeout_s * 1e9), []
    while clock.now_ns() < until_ns:
        axes = np.array(device.raw_axes, np.float64)
        if len(axes) and np.abs(axes - _padded(rest, len(axes))).max() >= step.begin_share * full_scale:
            rows.append(axes)
        elif rows:
            return rows
        _pause(clock, step)
    found = "one that did not end" if rows else "none"
    raise CalibrationError(
        f"device: {direction}: expected a nudge and a release within {step.timeout_s:g} s, found {found}; "
        "start again, and let the device go after each nudge"
    )


def _pause(clock: Clock, step: NudgeSettings) -> None:
    clock.sleep_until(clock.now_ns() + round(step.poll_s * 1e9))


def _padded(axes: Array, size: int) -> Array:
    """Return axes of one size: one that was never reported is at rest at 0."""
    return np.pad(axes, (0, max(size - len(axes), 0)))[:size]


def _same_width(rest: Array, samples: Mapping[str, list[Array]]) -> tuple[Array, dict[str, Array]]:
    size = max(len(row) for rows in samples.values() for row in rows)
    return _padded(rest, size), {name: np.array([_padded(row, size) for row in rows]) for name, rows in samples.items()}


def _read(path: Path, step: NudgeSettings) -> tuple[Array, dict[str, Array]]:
    content = read_collected(path)
    given = content.get("nudges")
    if not isinstance(given, Mapping) or not given or not set(given) <= set(step.nudges):
        raise CalibrationError(f"{path}: nudges: expected some of {', '.join(step.nudges)}, found {_names(given)}")
    first = next(iter(given.values()))
    width = len(first[0]) if isinstance(first, list) and first and isinstance(first[0], list) else 1
    rest = np.median(rows_of(content, "rest", width, path), axis=0)
    return rest, {str(name): rows_of(given, name, width, path) for name in given}


def _names(given: object) -> str:
    return ", ".join(map(str, given)) if isinstance(given, Mapping) and given else "none"


def _facts(nudges: Mapping[str, Nudge]) -> dict[str, Any]:
    return {
        name: {"axis": nudge.axis, "sign": nudge.sign, "deflection": float(nudge.deflection)}
        for name, nudge in nudges.items()
    }

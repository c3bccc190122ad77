"""Measure a leader arm: the offsets of its joints, while a person holds it in the robot's reset pose."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from steadyhand.calibrate.collected import read_collected, rows_of
from steadyhand.calibrate.opened import add_output, composed_step, numbers, save
from steadyhand.calibration.leader_offsets import LeaderSettings, offsets_from_readings
from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.device_pair import SIDES
from steadyhand.robot_envs.devices.joint_source import JointReading, JointSource
from steadyhand.robot_envs.devices.leader import Leader
from steadyhand.robot_envs.devices.make import find_input, input_name, is_over_ros
from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.mock.setup import SimulatedArm
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.clock import Clock, MonotonicClock
from steadyhand.runtime.component import find_component, load_entry_point
from steadyhand.settings import Settings
from steadyhand.terminal import say

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = (
    "Nothing moves. Hold the leader in the robot's reset pose, its tool pointing down and its elbow as the robot has\n"
    "it, and keep it still. The reset pose is homing.position_rad, or the simulated arm's home; calibrate.joints_rad\n"
    "gives another one. FILE has joints: rows of the leader's joints [rad], read with the present offsets.\n"
    "example: steadyhand calibrate leader device=leader device.source.port=/dev/serial/by-id/usb-FTDI_...\n"
    "example: steadyhand calibrate leader device=leader 'calibrate.joints_rad=[0,0,0,-1.571,0,1.571,0]'"
)
SIGNS, OFFSETS = "signs", "offsets_rad"
IDENTITY = ("port", "topic", "ids", "joints", SIGNS)  # settings that tell one leader from another


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the step."""
    add_output(parser, "joints")
    parser.add_argument("--side", choices=SIDES, help="which leader of device=pair")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Read the leader, and write the file."""
    settings, step = composed_step("leader", overrides, LeaderSettings)
    group = "device" if options.side is None else f"device.{options.side}"
    values = _leader_group(settings.composed["device"], options.side)
    source = values["source"]
    for name in (SIGNS, OFFSETS):
        if not isinstance(source.get(name), list):
            raise CalibrationError(
                f"{group}.source.{name}: expected a list with an entry for each joint, found none; this source has no "
                "offsets to calibrate"
            )
    pose = step.joints_rad or _reset_joints(settings)
    if options.source is not None:
        readings = rows_of(read_collected(options.source), "joints", len(source[SIGNS]), options.source)
    else:
        readings = _readings(source, f"{group}.source", pose, step)
    found = offsets_from_readings(readings, source[SIGNS], source[OFFSETS], pose, step)
    save(
        options.out,
        "leader",
        str(source.get("port") or source.get("topic") or "leader").rpartition("/")[2],
        belongs_to={f"{group}.entry_point": values["entry_point"]}
        | {f"{group}.source.{name}": source[name] for name in ("entry_point", *IDENTITY) if name in source},
        sets={f"{group}.source.{OFFSETS}": numbers(found.offsets_rad)},
        values={"pose_rad": numbers(pose), "joints_rad": numbers(np.median(readings, axis=0))},
        residuals={"rest_rad": numbers(found.rest_rad), "spread_rad": numbers(found.spread_rad)},
    )
    return 0


def _leader_group(device: Mapping[str, Any], side: str | None) -> Mapping[str, Any]:
    """Return the group of the leader.

    Raises:
        CalibrationError: The device is no leader.
    """
    values = device if side is None else device.get(side)
    if not isinstance(values, Mapping):
        raise CalibrationError(f"--side {side}: expected device=pair, found {input_name(device)}")
    if is_over_ros(values) or not issubclass(find_input(values).type, Leader):
        raise CalibrationError(
            f"device: expected a leader arm, such as device=leader or leader_ros, found {input_name(values)}; of a "
            "pair give --side"
        )
    return values


def _reset_joints(settings: Settings) -> tuple[float, ...]:
    """Return the joints of the robot's reset pose [rad].

    Raises:
        CalibrationError: The configuration does not say it.
    """
    robot = settings.composed["robot"]
    homing = settings.composed["homing"] or robot.get("homing")
    if isinstance(homing, Mapping):
        return tuple(map(float, homing["position_rad"]))
    if "entry_point" in robot:
        setup: Any = load_entry_point(robot["entry_point"], "robot.entry_point")
        if isinstance(setup, type) and issubclass(setup, SimulatedArm):
            return tuple(setup.arm.home_rad)
    raise CalibrationError(
        f"calibrate.joints_rad: expected the joints of the pose, as robot={robot.get('name')} has no homing; read them "
        "from the robot, and give calibrate.joints_rad=[...], or homing=..."
    )


def _readings(source: Mapping[str, Any], where: str, pose: Sequence[float], step: LeaderSettings) -> Array:
    """Return the joints of the leader for the time of the step. Shape (n, n_joints).

    Raises:
        DeviceError: The leader is missing, or was lost.
    """
    made: JointSource = find_component(source, JointSource, where).make()  # type: ignore[type-abstract]
    clock = MonotonicClock()
    with closing(made):
        try:
            made.open()
            say(f"hold the leader still at {' '.join(f'{joint:+.2f}' for joint in pose)} rad")
            _read_for(made, clock, step.wait_s, step.poll_s)
            say(f"reading it for {step.read_s:g} s")
            rows = _read_for(made, clock, step.read_s, step.poll_s)
        except OSError as error:
            raise DeviceError(f"leader: {error}") from error
    return np.array([row.joints_rad for row in rows]).reshape(-1, len(source[SIGNS]))


def _read_for(source: JointSource, clock: Clock, seconds: float, poll_s: float) -> list[JointReading]:
    """Read the leader for so long; every reading is a new one."""
    until_ns, rows = clock.now_ns() + round(seconds * 1e9), []
    while clock.now_ns() < until_ns:
        if (reading := source.read()) is not None:
            rows.append(reading)
        clock.sleep_until(min(clock.now_ns() + round(poll_s * 1e9), until_ns))
    return rows

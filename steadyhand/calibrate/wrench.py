"""Measure the wrench: bias and payload from readings at rest in several orientations, and the sign by one push."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from steadyhand.calibrate.collected import NUMBERS_EPILOG, poses_of, read_collected, rows_of
from steadyhand.calibrate.opened import add_here, add_output, arm_task, composed_step, numbers, opened_cell, save
from steadyhand.calibration.cell import Cell, MotionSettings
from steadyhand.calibration.collecting import visit
from steadyhand.calibration.payload import Payload, PayloadSettings, payload_from_wrenches
from steadyhand.calibration.pose_set import PoseSetSettings, poses_about
from steadyhand.calibration.push import Push, PushSettings, sign_of_push
from steadyhand.robot_envs.frames import Array, quat_rotate
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.ranges import expect_above, expect_at_least
from steadyhand.settings import Settings
from steadyhand.terminal import say

__all__ = ["EPILOG", "WrenchStep", "add_options", "run"]

EPILOG = (
    "The tool hangs free. It turns in place to several orientations, through the safety gate. With --push, push the\n"
    "tool along that axis of the base when asked. A weight that the robot does not compensate gives the sign too.\n"
    "FILE has poses and wrenches (force, torque; tool frame), and may have push_poses and push_wrenches for --push:\n"
    f"the first row is before the push. {NUMBERS_EPILOG}\n"
    "example: steadyhand calibrate wrench --push +x robot=mock device=none"
)
AXES = {f"{sign}{axis}": (index, 1.0 if sign == "+" else -1.0) for index, axis in enumerate("xyz") for sign in "+-"}


@dataclass(frozen=True)
class WrenchStep:
    """Numbers of the step.

    Attributes:
        poses: The orientations.
        n_readings: Readings that are averaged at each.
        payload: Bounds of the payload.
        sign_mass_kg: Smallest weight that shows the sign. A smaller one, or its opposite, may be the error of a robot
            that compensates its tool.
        push: Bounds of the push.
        push_timeout_s: Longest wait for the push.
        motion: Motion between the orientations.
    """

    poses: PoseSetSettings
    n_readings: int
    payload: PayloadSettings
    sign_mass_kg: float
    push: PushSettings
    push_timeout_s: float
    motion: MotionSettings

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "n_readings")
        expect_above(self, 0.0, "push_timeout_s", "sign_mass_kg")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the step."""
    add_here(parser)
    add_output(parser, "poses and wrenches")
    parser.add_argument(
        "--push", metavar="AXIS", choices=list(AXES), help="direction of the push, base frame: +x ... -z"
    )


def run(options: argparse.Namespace, overrides: Sequence[str], hardware: Hardware | None = None) -> int:
    """Collect the readings, and write the file."""
    settings, step = composed_step("wrench", overrides, WrenchStep)
    arm_task(settings)
    if options.source is not None:
        poses, wrenches, forces = _read(options.source, options.push is not None)
    else:
        poses, wrenches, forces = _collected(settings, step, options, hardware)
    payload = payload_from_wrenches(poses[:, 3:], wrenches, step.payload)
    push = None if forces is None else sign_of_push(forces, _direction(options.push), step.push)
    sign = _sign(payload, push, step.sign_mass_kg)
    name = str(settings.composed["robot"]["name"])
    save(
        options.out,
        "wrench",
        name,
        belongs_to={"robot.name": name},
        sets=_sets(settings, sign),
        values=_values(payload, push, sign),
        residuals={
            "force_n": payload.force_residual_n,
            "torque_nm": payload.torque_residual_nm,
            "amplification": payload.amplification,
            "n_orientations": len(poses),
        },
    )
    _say(payload, sign, settings)
    return 0


def _collected(
    settings: Settings, step: WrenchStep, options: argparse.Namespace, hardware: Hardware | None
) -> tuple[Array, Array, Array | None]:
    with opened_cell(settings, step.motion, (), hardware, not options.here) as cell:
        cell.check_inside()
        start = cell.pose.copy()
        targets = poses_about(start, start[:3], cell.limits, step.poses)
        say(f"turning to {len(targets)} orientations; nothing may touch the tool")
        seen = visit(cell, targets, n_readings=step.n_readings)
        cell.move_to(start)
        forces = None if options.push is None else _pushed(cell, options.push, step)
        return seen.poses, seen.wrenches, forces


def _pushed(cell: Cell, axis: str, step: WrenchStep) -> Array:
    """Return the forces of a push, less those before it, base frame. Shape (n, 3); [N].

    Raises:
        CalibrationError: Nothing pushes.
    """
    rest = cell.mean_wrench(step.n_readings)[:3]
    say(f"push the tool along {axis} of the base now, and let go")
    until_ns = cell.clock.now_ns() + round(step.push_timeout_s * 1e9)
    forces: list[Array] = []
    while cell.clock.now_ns() < until_ns:
        state = cell.wait(cell.period_s)
        force = quat_rotate(state.tcp_pose[0, 3:], state.wrench[0, :3] - rest)
        if float(np.linalg.norm(force)) >= step.push.min_force_n:
            forces.append(force)
        elif forces:
            return np.array(forces)
    raise CalibrationError(
        f"wrench: expected a push of {step.push.min_force_n:g} N within {step.push_timeout_s:g} s, found none; "
        "push harder, or leave --push out"
    )


def _read(path: Path, has_push: bool) -> tuple[Array, Array, Array | None]:
    content = read_collected(path)
    poses, wrenches = poses_of(content, "poses", path), rows_of(content, "wrenches", 6, path)
    _check_as_many(poses, wrenches, path)
    if not has_push:
        return poses, wrenches, None
    during, pushed = poses_of(content, "push_poses", path), rows_of(content, "push_wrenches", 6, path)
    _check_as_many(during, pushed, path)
    return poses, wrenches, quat_rotate(during[1:, 3:], pushed[1:, :3] - pushed[0, :3])


def _check_as_many(poses: Array, wrenches: Array, path: Path) -> None:
    if len(poses) != len(wrenches):
        raise CalibrationError(f"{path}: expected a wrench for each pose, found {len(poses)} and {len(wrenches)}")


def _direction(axis: str) -> Array:
    index, sign = AXES[axis]
    direction: Array = sign * np.eye(3)[index]
    return direction


def _sign(payload: Payload, push: Push | None, least_kg: float) -> Literal[1, -1] | None:
    """Return the sign by which the measured wrench has to be multiplied; None = neither push nor weight shows it.

    Raises:
        CalibrationError: Push and weight contradict each other.
    """
    by_weight: Literal[1, -1] | None = None
    if payload.centre_m is not None and abs(payload.mass_kg) >= least_kg:
        by_weight = 1 if payload.mass_kg > 0.0 else -1
    if push is None:
        return by_weight
    if by_weight is not None and by_weight != push.sign:
        raise CalibrationError(
            f"wrench: expected one sign, found {push.sign} by the push and {by_weight} by a weight of "
            f"{payload.mass_kg:.2f} kg; push in the direction given with --push, with z of the base up"
        )
    return push.sign


def _sets(settings: Settings, sign: int | None) -> dict[str, Any]:
    """Return the setting of the profile's sign: behind ROS the readings already have the present one."""
    profile = settings.robot.profile
    if profile is None or sign is None:
        return {}
    return {"robot.profile.wrench.sign": int(profile.wrench.sign * sign)}


def _values(payload: Payload, push: Push | None, sign: int | None) -> Mapping[str, Any]:
    return {
        "mass_kg": abs(float(payload.mass_kg)),
        "centre_of_mass_m": None if payload.centre_m is None else numbers(payload.centre_m),
        "bias": numbers(payload.bias),
        "sign": sign,
        "push_n": None if push is None else push.force_n,
        "push_angle_rad": None if push is None else push.angle_rad,
    }


def _say(payload: Payload, sign: int | None, settings: Settings) -> None:
    if payload.centre_m is None:
        say(f"no weight is seen ({payload.mass_kg:.3f} kg): the robot compensates its tool, or measures no wrench")
    else:
        say(f"payload: {abs(payload.mass_kg):.3f} kg at {numbers(payload.centre_m, 4)} m from the tool centre point")
    if sign is None:
        say("sign: not known; give --push")
    elif settings.robot.profile is None:
        say("sign: right" if sign == 1 else "sign: the robot's wrench is that of the tool; turn it round in its class")

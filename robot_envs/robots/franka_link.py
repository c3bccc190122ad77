"""The connection to a Franka control box: open it, configure the arm, and describe libfranka's errors in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadyhand.robot_envs.frames import quat_rotate
from steadyhand.robot_envs.robot import RobotError
from steadyhand.robot_envs.robots.franka_settings import FrankaConfig
from steadyhand.runtime.logging import escaped

if TYPE_CHECKING:
    import franky

__all__ = ["described", "open_arm"]

# Part of libfranka's message, or the name of its exception, and what to do.
REMEDIES = {
    "Connection to FCI refused": "activate FCI in Desk, and end any other program that holds it",
    "Incompatible library version": "install the franky-control wheel for the arm's firmware, see docs/franka-fci.md",
    "Host is unreachable": "look at the cable, and at this machine's address in the arm's network",
    "No route to host": "look at the cable, and at this machine's address in the arm's network",
    "Host not found": "correct robot.host",
    "UDP receive: Timeout": "look at the network and at the control box; the next reset connects again",
    "Net Exception": "look at the network and at the control box; the next reset connects again",
    "Connection reset": "look at the network and at the control box; the next reset connects again",
    "realtime": "boot a real-time kernel and set its rights, or robot.realtime=ignore for a simulated arm",
    "real-time": "boot a real-time kernel and set its rights, or robot.realtime=ignore for a simulated arm",
    "command not possible": "unlock the joints, release the stop and the guiding button, and activate FCI in Desk",
    "communication_constraints_violation": "use a direct cable and a real-time kernel on this machine",
}


def open_arm(config: FrankaConfig) -> franky.Robot:
    """Connect to the arm and set its end effector, load and collision thresholds. Nothing moves.

    Raises:
        RobotError: There is no arm, it refuses the connection, or it refuses a setting.
    """
    import franky

    realtime = franky.RealtimeConfig.Enforce if config.realtime == "enforce" else franky.RealtimeConfig.Ignore
    collision, load = config.collision, config.load
    try:
        robot = franky.Robot(config.host, realtime_config=realtime)
        robot.set_collision_behavior(
            list(collision.contact_torque_nm),
            list(collision.reflex_torque_nm),
            list(collision.contact_wrench),
            list(collision.reflex_wrench),
        )
        robot.set_ee(_column_major(config.tool_in_nominal))
        robot.set_k(_column_major((0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)))  # the wrench is then about the TCP
        robot.set_load(load.mass_kg, list(load.centre_m), list(load.inertia_kg_m2))
    except Exception as error:  # franky and Poco raise a dozen types without a common base
        raise RobotError(f"robot.host: expected a Franka arm at {config.host}, found {described(error)}") from None
    return robot


def described(error: BaseException) -> str:
    """Return an error of franky in one line, with the remedy where it is known."""
    text = escaped(" ".join(str(error).replace("libfranka:", "").split()).rstrip(".")) or type(error).__name__
    lower = text.lower()
    remedy = next((advice for part, advice in REMEDIES.items() if part.lower() in lower), "")
    return f"{text}; {remedy}" if remedy else text


def _column_major(pose: tuple[float, ...]) -> list[float]:
    """Return a pose (7,), [m] and xyzw, as the 16 numbers of its matrix, column by column."""
    quat = np.asarray(pose[3:], np.float64)
    matrix = np.eye(4)
    matrix[:3, :3] = quat_rotate(quat / np.linalg.norm(quat), np.eye(3)).T
    matrix[:3, 3] = pose[:3]
    numbers: list[float] = matrix.flatten(order="F").tolist()
    return numbers

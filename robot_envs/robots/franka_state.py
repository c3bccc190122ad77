"""One state of a Franka arm over FCI, in this project's conventions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from steadyhand.robot_envs.frames import Array

__all__ = ["Reading", "fault_of", "read_arm"]

# A mode in which the arm follows commands has no text.
MODES = {
    "Idle": "",
    "Move": "",
    "Other": "not ready: close the stop, unlock the joints and activate FCI in Desk",
    "Guiding": "guiding: release the guiding button",
    "UserStopped": "user stop: release the stop button",
    "AutomaticErrorRecovery": "error recovery under way",
}


@dataclass(frozen=True)
class Reading:
    """One state of the arm.

    Attributes:
        robot_ms: The control box's own time; equal in two readings of one state.
        tcp_pose: Tool centre point in the base frame. Shape (7,); [m] and xyzw.
        tcp_twist: Linear then angular velocity in the base frame. Shape (6,); [m/s], [rad/s].
        wrench: Force then torque of the environment on the tool, tool frame, not tared. Shape (6,); [N], [Nm].
        joint_position: Shape (7,); [rad].
        joint_velocity: Shape (7,); [rad/s].
        fault: Fault that the arm reports; "" = none.
    """

    robot_ms: int
    tcp_pose: Array
    tcp_twist: Array
    wrench: Array
    joint_position: Array
    joint_velocity: Array
    fault: str


def read_arm(robot: Any) -> Reading:
    """Return the newest state of a `franky.Robot`; while nothing moves, this waits for the next one, up to 1 ms."""
    import franky

    state = robot.state
    pose = state.O_T_EE
    velocity = np.asarray(state.dq, np.float64)
    return Reading(
        robot_ms=int(state.time.to_msec()),
        tcp_pose=np.concatenate([pose.translation, pose.quaternion]),
        # libfranka reports the commanded twist alone, which torque control leaves at zero.
        tcp_twist=np.asarray(robot.model.zero_jacobian(franky.Frame.EndEffector, state)) @ velocity,
        # libfranka counts the force of the robot on the environment as positive.
        wrench=-np.asarray(state.K_F_ext_hat_K, np.float64),
        joint_position=np.asarray(state.q, np.float64),
        joint_velocity=velocity,
        fault=fault_of(state),
    )


def fault_of(state: Any) -> str:
    """Return the fault that a `franky.RobotState` reports, with libfranka's names of the errors; "" without one."""
    mode = str(state.robot_mode.name)
    errors = ", ".join(name for name in _error_names() if getattr(state.current_errors, name))
    if mode == "Reflex" or errors:
        return f"reflex: {errors or 'no error named'}"
    return MODES.get(mode, mode)


@cache
def _error_names() -> tuple[str, ...]:
    import franky

    return tuple(name for name in dir(franky.Errors) if not name.startswith("_"))

"""The contract every arm fulfils: read a state, take a Cartesian command, hold.

State and command are arrays over arms (``n_arms`` first), so one arm and two are the same code. Units are SI,
quaternions are xyzw, poses and twists are in the robot's base frame, and the wrench is what the environment does to
the tool, in the tool frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class MayGoOn(Protocol):
    """The judgement of a motion that is under way."""

    def __call__(self, state: RobotState) -> bool:
        """Whether the arm may go on moving, after it was seen in a state."""


class RobotError(RuntimeError):
    """The robot cannot do what was asked; the message says what a person has to do."""


@dataclass(frozen=True)
class RobotState:
    """One reading of all arms.

    Attributes:
        stamp_ns: Local monotonic receive time [ns].
        tcp_pose: Tool centre point in the base frame. Shape (n_arms, 7); [m] and xyzw.
        tcp_twist: Linear then angular velocity in the base frame. Shape (n_arms, 6); [m/s], [rad/s].
        wrench: Force then torque of the environment on the tool at the TCP, in the tool frame, tared at the last reset.
            Shape (n_arms, 6); [N], [Nm].
        joint_position: Shape (n_arms, n_joints); [rad].
        joint_velocity: Shape (n_arms, n_joints); [rad/s].
        gripper_width: Opening between the fingers. Shape (n_arms,); [m].
        ok: False while the arm reports a fault of its own. Shape (n_arms,).
        silent_source: Name of a source of this robot that has fallen silent, camera or sensor; "" = all of them speak.
        fault: What the fault is, where that is known.
        implausible: The fault of readings that cannot be true; `tcp_pose` is then the last that could. "" = none.
    """

    stamp_ns: int
    tcp_pose: Array
    tcp_twist: Array
    wrench: Array
    joint_position: Array
    joint_velocity: Array
    gripper_width: Array
    ok: NDArray[np.bool_]
    silent_source: str = ""
    fault: str = ""
    implausible: str = ""

    def is_finite(self) -> bool:
        """Whether every number of the reading is finite."""
        # A sum is finite only if all of its terms are.
        return math.isfinite(
            self.tcp_pose.sum()
            + self.tcp_twist.sum()
            + self.wrench.sum()
            + self.gripper_width.sum()
            + self.joint_position.sum()
            + self.joint_velocity.sum()
        )


@dataclass(frozen=True)
class RobotCommand:
    """Where every tool should go.

    Attributes:
        tcp_pose: Target of the Cartesian impedance controller in the base frame. Shape (n_arms, 7); [m] and xyzw.
        gripper_width: Wanted opening between the fingers. Shape (n_arms,); [m].
    """

    tcp_pose: Array
    gripper_width: Array

    def flat(self) -> NDArray[np.float32]:
        """The command as one vector for the record. Shape (n_arms * 8,)."""
        return np.concatenate([self.tcp_pose, self.gripper_width[:, None]], axis=1).ravel().astype(np.float32)


class Robot(Protocol):
    """An arm, or several that move as one robot."""

    n_arms: int
    has_gripper: bool

    def connect(self) -> None:
        """Open the link. Raises RobotError when there is no robot."""

    def read(self) -> RobotState:
        """The newest state; never waits for a new one."""

    def command(self, command: RobotCommand) -> None:
        """Set the controller's target, which it clips around the measured pose, so that contact force is bounded."""

    def hold(self) -> None:
        """Stop where the arm is: the measured pose becomes the target, once, until the next command or reset."""

    def reset(self, tcp_pose: Array, gripper_width: Array, may_go_on: MayGoOn) -> RobotState:
        """Move to a pose between episodes, wait until the arm is at rest there, and tare the wrench.

        Args:
            tcp_pose: Shape (n_arms, 7); base frame.
            gripper_width: Shape (n_arms,); [m].
            may_go_on: Asked with every reading on the way. False = hold there and return.

        Raises:
            RobotError: The pose cannot be reached.
            TareError: The arm is there, and the tool is pressed or shakes; the old tare stays.
        """

    def forget_pose(self) -> None:
        """Believe the next proper reading wherever the arm is: it may have been moved by hand."""

    def close(self) -> None:
        """Hold and let go of the link."""

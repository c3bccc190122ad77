"""The contract of every arm: read a state, follow a Cartesian command, hold.

State and command are arrays over arms (``n_arms`` first), so one arm and two are the same code. Units are SI,
quaternions are xyzw, poses and twists are in the robot's base frame. The wrench is that of the environment on the
tool, in the tool frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class MayGoOn(Protocol):
    """Callback that decides if a running motion may continue."""

    def __call__(self, state: RobotState) -> bool:
        """Return whether the arm may continue to move from a measured state."""


class RobotError(RuntimeError):
    """Error of a robot that cannot perform a request; the message says how to correct it."""


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
        ok: False while the arm itself reports a fault. Shape (n_arms,).
        silent_source: Name of a silent source of this robot, camera or sensor; "" = none is silent.
        fault: Description of the fault, where it is known.
        implausible: Fault of implausible readings; `tcp_pose` is then the last plausible pose. "" = none.
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
        """Return whether every number of the reading is finite."""
        # A sum is finite only if all of its terms are finite.
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
    """Target pose and gripper opening of every arm.

    Attributes:
        tcp_pose: Target of the Cartesian impedance controller in the base frame. Shape (n_arms, 7); [m] and xyzw.
        gripper_width: Target opening between the fingers. Shape (n_arms,); [m].
    """

    tcp_pose: Array
    gripper_width: Array

    def flat(self) -> NDArray[np.float32]:
        """Return the command as one vector for the record. Shape (n_arms * 8,)."""
        return np.concatenate([self.tcp_pose, self.gripper_width[:, None]], axis=1).ravel().astype(np.float32)


class Robot(Protocol):
    """An arm, or several arms that form one robot."""

    n_arms: int
    has_gripper: bool

    def connect(self) -> None:
        """Open the link. Raises RobotError when there is no robot."""

    def read(self) -> RobotState:
        """Return the newest state; never wait for a new one."""

    def command(self, command: RobotCommand) -> None:
        """Set the controller's target, which it clips around the measured pose to bound the contact force."""

    def hold(self) -> None:
        """Stop: the measured pose becomes the target, once, until the next command or reset."""

    def reset(self, tcp_pose: Array, gripper_width: Array, may_go_on: MayGoOn) -> RobotState:
        """Move to a pose between episodes, wait until the arm is at rest there, and tare the wrench.

        Args:
            tcp_pose: Shape (n_arms, 7); base frame.
            gripper_width: Shape (n_arms,); [m].
            may_go_on: Called with every reading during the motion. False = hold there and return.

        Raises:
            RobotError: The pose cannot be reached.
            TareError: The arm has arrived, but the tool is pressed or shakes; the old tare stays.
        """

    def forget_pose(self) -> None:
        """Accept the next valid reading at any pose, because the arm may have been moved by hand."""

    def close(self) -> None:
        """Hold and close the link."""

"""The profile of one gripper behind ROS 2: its interface, and the two ends of its range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from steadyhand.robot_envs.safety.gripper_limits import GripperLimits

__all__ = ["GripperKind", "GripperPoint", "GripperProfile"]

GripperKind = Literal["topic", "gripper_command", "parallel_gripper_command", "franka"]


@dataclass(frozen=True)
class GripperPoint:
    """One end of a gripper's range.

    Attributes:
        opening_m: Opening between the fingers.
        position: Position of the joint there, in the joint's own unit.
        command: Command value for it.
    """

    opening_m: float
    position: float
    command: float


@dataclass(frozen=True)
class GripperProfile:
    """One gripper, described by the two ends of its range: values in between are linear, in either direction.

    Attributes:
        kind: topic = std_msgs/Float64MultiArray with one number; gripper_command and parallel_gripper_command = the
            actions GripperCommand and ParallelGripperCommand of control_msgs; franka = franka_msgs' actions Move, to
            open, and Grasp, to close.
        command: The topic or the action; for franka the node that serves ``move`` and ``grasp``.
        state_topic: JointState.
        joint: Name of the joint.
        open: The open end.
        closed: The closed end.
        max_effort: Largest effort of a goal, for franka the grasping force [N]; null = the gripper's default. A topic
            has to have null.
        limits: Range and speed of the commands.
    """

    kind: GripperKind
    command: str
    state_topic: str
    joint: str
    open: GripperPoint
    closed: GripperPoint
    max_effort: float | None
    limits: GripperLimits

    def __post_init__(self) -> None:
        if not 0.0 <= self.closed.opening_m < self.open.opening_m:
            raise ValueError(
                f"gripper: expected 0 <= closed.opening_m < open.opening_m, found {self.closed.opening_m} and "
                f"{self.open.opening_m}"
            )
        for name in ("position", "command"):
            if getattr(self.open, name) == getattr(self.closed, name):
                raise ValueError(f"gripper: expected another {name} when open than when closed, found the same")
        needs_effort = self.kind in ("gripper_command", "franka")
        if needs_effort and not (self.max_effort is not None and self.max_effort > 0.0):
            raise ValueError(f"gripper.max_effort: expected a number above 0 for {self.kind}, found {self.max_effort}")
        if self.kind == "topic" and self.max_effort is not None:
            raise ValueError("gripper.max_effort: expected null, a topic carries no effort")

    @property
    def source(self) -> str:
        """Unique name of its state; the arm's joints may be on the same topic."""
        return f"{self.state_topic} ({self.joint})"

    @property
    def takes_speed(self) -> bool:
        """True if a command includes the speed; any other gripper is moved in steps."""
        return self.kind == "franka"

    def opening_at(self, position: float) -> float:
        """Return the opening [m] at a position of the joint."""
        return self._between(position, "position", "opening_m")

    def position_at(self, opening_m: float) -> float:
        """Return the joint's position at an opening [m]."""
        return self._between(opening_m, "opening_m", "position")

    def command_for(self, opening_m: float) -> float:
        """Return the command value for an opening [m]."""
        return self._between(opening_m, "opening_m", "command")

    def commanded_opening(self, command: float) -> float:
        """Return the opening [m] of a command value."""
        return self._between(command, "command", "opening_m")

    def _between(self, value: float, given: str, wanted: str) -> float:
        low, high = getattr(self.closed, given), getattr(self.open, given)
        share = (value - low) / (high - low)
        return float((1.0 - share) * getattr(self.closed, wanted) + share * getattr(self.open, wanted))

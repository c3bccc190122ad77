"""Supervision of an arm's motion against its commands, the only sign of a locked drive or a frozen state."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, fields

import numpy as np

from steadyhand.robot_envs.frames import Array, length
from steadyhand.robot_envs.robot import RobotCommand, RobotState
from steadyhand.robot_envs.safety.stop_reason import StopReason
from steadyhand.runtime.ranges import expect, expect_above


@dataclass(frozen=True)
class MotionLimits:
    """Limits beyond which an arm counts as not moving. Only the position is compared.

    Attributes:
        window_s: Time over which command and motion are compared.
        min_commanded_m: Smallest commanded distance within the window at which they are compared.
        min_share: Smallest share of the commanded distance that the arm must have moved.
        contact_force_n: Measured force above which the arm may be in contact; then nothing is compared.
    """

    window_s: float
    min_commanded_m: float
    min_share: float
    contact_force_n: float

    def __post_init__(self) -> None:
        expect_above(self, 0.0, *(field.name for field in fields(self)))
        expect(self.min_share < 1.0, "min_share", "a share below 1", self.min_share)


class MotionWatch:
    """Comparison of commanded and measured motion, arm by arm.

    Args:
        limits: Limits of the comparison; None = nothing is compared.
        control_period_s: Time between two commands.
    """

    def __init__(self, limits: MotionLimits | None, control_period_s: float) -> None:
        self._limits = limits
        steps = 0 if limits is None else max(1, round(limits.window_s / control_period_s))
        self._asked: deque[Array] = deque(maxlen=steps)
        self._from: deque[Array] = deque(maxlen=steps)
        self._commanded_from_ns = -1  # stamp of the reading from which the newest command was computed

    def begin(self) -> None:
        """Discard all earlier commands."""
        self._asked.clear()
        self._from.clear()

    def commanded(self, command: RobotCommand, state: RobotState) -> None:
        """Register a command to an arm whose newest reading is `state`."""
        self._asked.append(command.tcp_pose[:, :3] - state.tcp_pose[:, :3])
        self._from.append(state.tcp_pose[:, :3])
        self._commanded_from_ns = state.stamp_ns

    def check(self, state: RobotState) -> StopReason | None:
        """Return NOT_MOVING if an arm in free space did not move during a whole window of commands.

        A reading that is not newer than the command is ignored: a silent source has its own stop reason.
        """
        if self._limits is None or state.stamp_ns == self._commanded_from_ns:
            return None
        if (length(state.wrench[:, :3]) > self._limits.contact_force_n).any():
            self.begin()
            return None
        if len(self._asked) < (self._asked.maxlen or 0):
            return None
        asked = length(np.sum(self._asked, axis=0))
        moved = length(state.tcp_pose[:, :3] - self._from[0])
        stuck = (asked >= self._limits.min_commanded_m) & (moved < self._limits.min_share * asked)
        return StopReason.NOT_MOVING if stuck.any() else None

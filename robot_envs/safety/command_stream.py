"""The three kinds of commands that a controller may take, and what makes one of them unfit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np

from robot_envs.frames import Array, quat_from_rotvec, quat_inverse, quat_multiply, rotvec_from_quat
from robot_envs.safety.limits import SafetyLimits, clip_tilt
from robot_envs.safety.watchdog_settings import WatchdogSettings


class HoldReason(str, Enum):
    """Why the watchdog passes no command on. All but the first two stay until a person rearms it.

    A source that is silent while nothing moves holds as long as it is silent.
    """

    NO_COMMANDS = "no_commands"
    NOT_HEARD_YET = "not_heard_yet"
    STATE_SILENT = "state_silent"
    FAULT_SOURCE_SILENT = "fault_source_silent"
    ROBOT_FAULT = "robot_fault"
    SECOND_PUBLISHER = "second_publisher"
    WRONG_FRAME = "wrong_frame"
    NON_FINITE_COMMAND = "non_finite_command"
    OUTSIDE_WORKSPACE = "outside_workspace"
    JUMP = "jump"


LATCHING = frozenset(HoldReason) - {HoldReason.NO_COMMANDS, HoldReason.NOT_HEARD_YET}


@dataclass(frozen=True)
class Measured:
    """What the arm was last seen to do.

    Attributes:
        tcp_pose: Base frame. Shape (7,); [m] and xyzw.
        joints: Shape (n_joints,); [rad].
    """

    tcp_pose: Array
    joints: Array


class CommandStream(Protocol):
    """One kind of command, as a vector."""

    size: int

    def objection(self, command: Array, measured: Measured) -> HoldReason | None:
        """Why the command must not be passed on; None when it may. Also asked while it is being followed."""

    def between(self, start: Array, goal: Array, share: float) -> Array:
        """The command on the way; ``share`` 0 = start, 1 = goal."""

    def is_nearer(self, command: Array, target: Array, measured: Measured) -> bool:
        """Whether a command asks for no more than what is being followed, as seen from the arm."""

    def rest(self, measured: Measured) -> Array:
        """The command that keeps the arm where it is."""

    def freeze(self, target: Array) -> Array:
        """The command that goes no further when nobody knows where the arm is."""

    def has_strayed(self, held: Array, measured: Measured) -> bool:
        """Whether the arm was moved so far from what is held (by a person's hand) that it would spring back."""


class PoseStream:
    """Targets of the tool centre point in the base frame. Shape (7,); [m] and xyzw."""

    size = 7

    def __init__(self, settings: WatchdogSettings, limits: SafetyLimits) -> None:
        self._settings = settings
        self._limits = limits

    def objection(self, command: Array, measured: Measured) -> HoldReason | None:
        """Outside the workspace or tilted too far, or too far from the measured pose."""
        s, limits = self._settings, self._limits
        if _outside(command[:3], limits, s.box_margin_m):
            return HoldReason.OUTSIDE_WORKSPACE
        if angle_between(clip_tilt(command[None, 3:], limits)[0], command[3:]) > s.tilt_margin_rad:
            return HoldReason.OUTSIDE_WORKSPACE
        return HoldReason.JUMP if self.has_strayed(command, measured) else None

    def between(self, start: Array, goal: Array, share: float) -> Array:
        """Straight in position, the shortest way in orientation."""
        turn = rotvec_from_quat(quat_multiply(quat_inverse(start[3:]), goal[3:]))
        quat = quat_multiply(start[3:], quat_from_rotvec(turn * share))
        return np.concatenate([start[:3] + share * (goal[:3] - start[:3]), quat])

    def is_nearer(self, command: Array, target: Array, measured: Measured) -> bool:
        """In position and in orientation; rounding and lag are no lead."""
        s = self._settings
        (away, turned), (target_away, target_turned) = self._lead(command, measured), self._lead(target, measured)
        return away <= max(target_away, s.box_margin_m) and turned <= max(target_turned, s.tilt_margin_rad)

    def rest(self, measured: Measured) -> Array:
        """The measured pose."""
        return measured.tcp_pose

    def freeze(self, target: Array) -> Array:
        """The last target."""
        return target

    def has_strayed(self, held: Array, measured: Measured) -> bool:
        """By more than the largest jump."""
        away, turned = self._lead(held, measured)
        return away > self._settings.max_jump_m or turned > self._settings.max_jump_rad

    def _lead(self, pose: Array, measured: Measured) -> tuple[float, float]:
        """How far a pose is from where the arm is [m], [rad]."""
        away = float(np.linalg.norm(pose[:3] - measured.tcp_pose[:3]))
        return away, angle_between(pose[3:], measured.tcp_pose[3:])


class TwistStream:
    """Velocities of the tool centre point in the base frame. Shape (6,); [m/s], [rad/s]. A velocity is not ramped."""

    size = 6

    def __init__(self, settings: WatchdogSettings, limits: SafetyLimits) -> None:
        self._settings = settings
        self._limits = limits

    def objection(self, command: Array, measured: Measured) -> HoldReason | None:
        """Too fast, or on the way out of the workspace."""
        s = self._settings
        if np.linalg.norm(command[:3]) * s.command_period_s > s.max_jump_m:
            return HoldReason.JUMP
        if np.linalg.norm(command[3:]) * s.command_period_s > s.max_jump_rad:
            return HoldReason.JUMP
        position, quat, limits = measured.tcp_pose[:3], measured.tcp_pose[3:], self._limits
        low, high = np.asarray(limits.workspace_low_m), np.asarray(limits.workspace_high_m)
        outward = np.where(position < low, -command[:3], np.where(position > high, command[:3], 0.0)).max()
        if _outside(position, limits, s.box_margin_m) and outward > 0.0:
            return HoldReason.OUTSIDE_WORKSPACE
        nearest = clip_tilt(quat[None], limits)[0]
        excess = angle_between(nearest, quat)
        if excess > s.tilt_margin_rad:
            turned = quat_multiply(quat_from_rotvec(command[3:] * s.command_period_s), quat)
            if angle_between(nearest, turned) > excess:
                return HoldReason.OUTSIDE_WORKSPACE
        return None

    def between(self, start: Array, goal: Array, share: float) -> Array:
        """The new velocity at once."""
        return goal

    def is_nearer(self, command: Array, target: Array, measured: Measured) -> bool:
        """Slower; it is followed at once either way."""
        return bool(np.linalg.norm(command) <= np.linalg.norm(target))

    def rest(self, measured: Measured) -> Array:
        """No velocity."""
        return np.zeros(self.size)

    def freeze(self, target: Array) -> Array:
        """No velocity."""
        return np.zeros(self.size)

    def has_strayed(self, held: Array, measured: Measured) -> bool:
        """Never: no velocity does not spring back."""
        return False


class JointStream:
    """Joint positions. Shape (n_joints,); [rad]."""

    def __init__(self, settings: WatchdogSettings, limits: SafetyLimits, n_joints: int) -> None:
        self.size = n_joints
        self._settings = settings
        self._limits = limits

    def objection(self, command: Array, measured: Measured) -> HoldReason | None:
        """The measured tool is outside the workspace, or a joint would have too far to go."""
        if _outside(measured.tcp_pose[:3], self._limits, self._settings.box_margin_m):
            return HoldReason.OUTSIDE_WORKSPACE
        return HoldReason.JUMP if self.has_strayed(command, measured) else None

    def between(self, start: Array, goal: Array, share: float) -> Array:
        """Straight in every joint."""
        found: Array = start + share * (goal - start)
        return found

    def is_nearer(self, command: Array, target: Array, measured: Measured) -> bool:
        """In every joint."""
        return bool((np.abs(command - measured.joints) <= np.abs(target - measured.joints)).all())

    def rest(self, measured: Measured) -> Array:
        """The measured joints."""
        return measured.joints

    def freeze(self, target: Array) -> Array:
        """The last target."""
        return target

    def has_strayed(self, held: Array, measured: Measured) -> bool:
        """By more than the largest jump, in any joint."""
        return bool((np.abs(held - measured.joints) > self._settings.max_jump_rad).any())


def angle_between(a: Array, b: Array) -> float:
    """Angle between two orientations [rad]. Shapes (4,)."""
    return float(np.linalg.norm(rotvec_from_quat(quat_multiply(quat_inverse(a), b))))


def _outside(position: Array, limits: SafetyLimits, margin_m: float) -> bool:
    low, high = np.asarray(limits.workspace_low_m) - margin_m, np.asarray(limits.workspace_high_m) + margin_m
    return bool((position < low).any() or (position > high).any())

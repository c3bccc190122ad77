"""The three kinds of commands of a controller, with the checks and limits of each kind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np

from steadyhand.robot_envs.frames import Array, quat_from_rotvec, quat_inverse, quat_multiply, rotvec_from_quat
from steadyhand.robot_envs.safety.joint_limits import JointLimits, JointShaper
from steadyhand.robot_envs.safety.limits import SafetyLimits, clip_tilt, clip_to_workspace
from steadyhand.robot_envs.safety.shaper import PoseShaper, TwistShaper
from steadyhand.robot_envs.safety.watchdog_settings import WatchdogSettings


class HoldReason(str, Enum):
    """Reason of the watchdog to hold. All but the first two are latched until the operator rearms it.

    A source that falls silent while nothing moves is not latched: the hold ends when the source returns.
    """

    NO_COMMANDS = "no_commands"
    NOT_HEARD_YET = "not_heard_yet"
    STATE_SILENT = "state_silent"
    IMPLAUSIBLE_STATE = "implausible_state"
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
    """Newest measured state of the arm.

    Attributes:
        tcp_pose: Pose of the tool centre point, base frame. Shape (7,); [m] and xyzw.
        joints: Joint positions. Shape (n_joints,); [rad].
    """

    tcp_pose: Array
    joints: Array


class CommandStream(Protocol):
    """One kind of command, as a vector, and the limits on the published targets."""

    size: int

    def objection(self, command: Array, measured: Measured) -> HoldReason | None:
        """Return the reason to reject a command; None if it is valid. It is also checked while it is followed."""

    def between(self, start: Array, goal: Array, share: float) -> Array:
        """Return the interpolated command; ``share`` 0 = start, 1 = goal."""

    def away(self, command: Array, goal: Array) -> float:
        """Return the distance between two commands, comparable only with other results of this method."""

    def rest(self, measured: Measured) -> Array:
        """Return the command that keeps the arm where it is."""

    def lead(self, target: Array, measured: Measured) -> float:
        """Return the distance of a target ahead of the arm: [m], [rad] for joints; 0 for a velocity."""

    def has_strayed(self, held: Array, measured: Measured) -> bool:
        """Return whether the arm was moved so far from the held target (such as by hand) that it would spring back."""

    def is_outside(self, measured: Measured) -> bool:
        """Return whether the arm is outside the workspace, so that no target can reach its pose."""

    def begin(self, measured: Measured) -> Array:
        """Start at rest at the measured state; return the first target."""

    def step(self, wanted: Array, measured: Measured, period_s: float) -> Array:
        """Return the next target towards the wanted command, with limited speed, acceleration and jerk."""

    def brake(self, measured: Measured, period_s: float) -> Array:
        """Return the next target of the quickest stop."""


class PoseStream:
    """Stream of targets of the tool centre point in the base frame. Shape (7,); [m] and xyzw."""

    size = 7

    def __init__(self, settings: WatchdogSettings, limits: SafetyLimits) -> None:
        self._settings = settings
        self._limits = limits
        self._shaper = PoseShaper(limits.linear, limits.angular, limits.region)

    def objection(self, command: Array, measured: Measured) -> HoldReason | None:
        """Reject a command that is outside the workspace, tilted too far, or too far from the measured pose.

        If the arm is outside, a command may lead it back inside.
        """
        if _is_outside(command, self._settings, self._limits) and _leads_out(measured.tcp_pose, command, self._limits):
            return HoldReason.OUTSIDE_WORKSPACE
        return HoldReason.JUMP if self.has_strayed(command, measured) else None

    def between(self, start: Array, goal: Array, share: float) -> Array:
        """Interpolate linearly in position, and along the shortest rotation."""
        turn = rotvec_from_quat(quat_multiply(quat_inverse(start[3:]), goal[3:]))
        quat = quat_multiply(start[3:], quat_from_rotvec(turn * share))
        return np.concatenate([start[:3] + share * (goal[:3] - start[:3]), quat])

    def away(self, command: Array, goal: Array) -> float:
        """Return the distance [m] plus a tenth of the angle [rad]."""
        return float(np.linalg.norm(goal[:3] - command[:3])) + 0.1 * angle_between(command[3:], goal[3:])

    def rest(self, measured: Measured) -> Array:
        """Return the measured pose."""
        return measured.tcp_pose

    def lead(self, target: Array, measured: Measured) -> float:
        """Return the distance of the position [m]."""
        return float(np.linalg.norm(target[:3] - measured.tcp_pose[:3]))

    def has_strayed(self, held: Array, measured: Measured) -> bool:
        """Return whether the arm has moved by more than the largest jump."""
        away = float(np.linalg.norm(held[:3] - measured.tcp_pose[:3]))
        turned = angle_between(held[3:], measured.tcp_pose[3:])
        return away > self._settings.max_jump_m or turned > self._settings.max_jump_rad

    def is_outside(self, measured: Measured) -> bool:
        """Return whether the arm is outside by more than the margins."""
        return _is_outside(measured.tcp_pose, self._settings, self._limits)

    def begin(self, measured: Measured) -> Array:
        """Return the measured pose."""
        self._shaper.begin(measured.tcp_pose)
        return measured.tcp_pose

    def step(self, wanted: Array, measured: Measured, period_s: float) -> Array:
        """Return the next pose, with the whole tool inside the workspace; from outside it leads no farther out."""
        quat = clip_tilt(wanted[None, 3:], self._limits)
        position = clip_to_workspace(wanted[None, :3], quat, self._limits)
        return self._shaper.step(np.concatenate([position[0], quat[0]]), period_s)

    def brake(self, measured: Measured, period_s: float) -> Array:
        """Return the next pose of the quickest stop."""
        return self._shaper.brake(period_s)


class TwistStream:
    """Stream of velocities of the tool centre point in the base frame. Shape (6,); [m/s], [rad/s]."""

    size = 6

    def __init__(self, settings: WatchdogSettings, limits: SafetyLimits) -> None:
        self._settings = settings
        self._limits = limits
        self._shaper = TwistShaper(limits.linear, limits.angular, limits.region)

    def objection(self, command: Array, measured: Measured) -> HoldReason | None:
        """Reject a command that is too fast, or that leads out of the workspace."""
        s = self._settings
        if np.linalg.norm(command[:3]) * s.command_period_s > s.max_jump_m:
            return HoldReason.JUMP
        if np.linalg.norm(command[3:]) * s.command_period_s > s.max_jump_rad:
            return HoldReason.JUMP
        if not _is_outside(measured.tcp_pose, s, self._limits):
            return None
        position = measured.tcp_pose[:3] + command[:3] * s.command_period_s
        quat = quat_multiply(quat_from_rotvec(command[3:] * s.command_period_s), measured.tcp_pose[3:])
        leads_out = _leads_out(measured.tcp_pose, np.concatenate([position, quat]), self._limits)
        return HoldReason.OUTSIDE_WORKSPACE if leads_out else None

    def between(self, start: Array, goal: Array, share: float) -> Array:
        """Return the new velocity; the limits ramp it."""
        return goal

    def away(self, command: Array, goal: Array) -> float:
        """Return the length of the difference."""
        return float(np.linalg.norm(goal - command))

    def rest(self, measured: Measured) -> Array:
        """Return a velocity of zero."""
        return np.zeros(self.size)

    def lead(self, target: Array, measured: Measured) -> float:
        """Return 0: a velocity is not ahead of the arm."""
        return 0.0

    def has_strayed(self, held: Array, measured: Measured) -> bool:
        """Return False: a velocity of zero does not spring back."""
        return False

    def is_outside(self, measured: Measured) -> bool:
        """Return False: a target is not a pose of the tool."""
        return False

    def begin(self, measured: Measured) -> Array:
        """Return a velocity of zero."""
        self._shaper.begin()
        return np.zeros(self.size)

    def step(self, wanted: Array, measured: Measured, period_s: float) -> Array:
        """Return the next velocity, from which the tool can still stop inside the workspace."""
        return self._shaper.step(wanted, measured.tcp_pose, period_s)

    def brake(self, measured: Measured, period_s: float) -> Array:
        """Return the next velocity of the quickest stop."""
        return self.step(np.zeros(self.size), measured, period_s)


class JointStream:
    """Stream of joint positions. Shape (n_joints,); [rad]. The limits of the joints have to be known."""

    def __init__(self, settings: WatchdogSettings, limits: SafetyLimits, joints: JointLimits) -> None:
        self.size = len(joints.low_rad)
        self._settings = settings
        self._limits = limits
        self._shaper = JointShaper(joints)

    def objection(self, command: Array, measured: Measured) -> HoldReason | None:
        """Reject a command if the measured tool is outside the workspace, or if a joint would jump too far."""
        if _is_outside(measured.tcp_pose, self._settings, self._limits):
            return HoldReason.OUTSIDE_WORKSPACE
        return HoldReason.JUMP if self.has_strayed(command, measured) else None

    def between(self, start: Array, goal: Array, share: float) -> Array:
        """Interpolate linearly in every joint."""
        found: Array = start + share * (goal - start)
        return found

    def away(self, command: Array, goal: Array) -> float:
        """Return the length of the difference."""
        return float(np.linalg.norm(goal - command))

    def rest(self, measured: Measured) -> Array:
        """Return the measured joints."""
        return measured.joints

    def lead(self, target: Array, measured: Measured) -> float:
        """Return the largest distance of a joint [rad]."""
        return float(np.abs(target - measured.joints).max())

    def has_strayed(self, held: Array, measured: Measured) -> bool:
        """Return whether any joint has moved by more than the largest jump."""
        return bool((np.abs(held - measured.joints) > self._settings.max_jump_rad).any())

    def is_outside(self, measured: Measured) -> bool:
        """Return False: a target is not a pose of the tool."""
        return False

    def begin(self, measured: Measured) -> Array:
        """Return the measured joints."""
        self._shaper.begin(measured.joints)
        return measured.joints

    def step(self, wanted: Array, measured: Measured, period_s: float) -> Array:
        """Return the next joint positions, each in its range."""
        return self._shaper.step(wanted, period_s)

    def brake(self, measured: Measured, period_s: float) -> Array:
        """Return the next joint positions of the quickest stop."""
        return self._shaper.brake(period_s)


def angle_between(a: Array, b: Array) -> float:
    """Return the angle between two orientations [rad]. Shapes (4,)."""
    return float(np.linalg.norm(rotvec_from_quat(quat_multiply(quat_inverse(a), b))))


def _is_outside(pose: Array, settings: WatchdogSettings, limits: SafetyLimits) -> bool:
    """Return whether the tool is outside the workspace, or tilted, by more than the margins for rounding and lag."""
    outside_m, tilted_rad = limits.region.excess(pose[:3].tolist(), pose[3:].tolist())
    return outside_m > settings.box_margin_m or tilted_rad > settings.tilt_margin_rad


def _leads_out(measured: Array, command: Array, limits: SafetyLimits) -> bool:
    """Return whether a commanded pose is farther outside the region, in distance or in tilt, than the arm."""
    here = limits.region.excess(measured[:3].tolist(), measured[3:].tolist())
    there = limits.region.excess(command[:3].tolist(), command[3:].tolist())
    return any(then > max(now, 0.0) for now, then in zip(here, there, strict=True))

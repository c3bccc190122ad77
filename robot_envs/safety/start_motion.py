"""The motion to a start pose: up, then straight, within the limits of the cell, and to rest, where the wrench is tared.

Robots that are commanded by target poses share it, over ROS 2 and without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np

from steadyhand.robot_envs.difference import pose_difference
from steadyhand.robot_envs.frames import Array, length, quat_from_rotvec, quat_multiply
from steadyhand.robot_envs.robot import MayGoOn, RobotError, RobotState
from steadyhand.robot_envs.safety.limits import SafetyLimits, clip_step, clip_tilt, clip_to_workspace
from steadyhand.robot_envs.safety.shaper import PoseShaper
from steadyhand.robot_envs.safety.tare import mean_wrench
from steadyhand.runtime.clock import Clock

__all__ = ["GainSet", "Home", "LedArm", "StartMotion"]

GainSet = Literal["precision", "compliance"]
Home = Callable[[MayGoOn], bool]

_NS = 1_000_000_000
_REACHED_M, _REACHED_RAD = 1.5e-3, 0.02  # largest error of the start pose; a real arm at rest is that exact
_REST_M_S = 5e-3
_PASSED_M = 0.01  # distance at which a waypoint counts as passed
_NEAR_M = 0.02  # error below which the target leads by the accumulated error, once the arm is at rest
_PER_S = 3.0  # share of the error that is corrected per second
_TARED_SHARE = 0.5  # of the readings while the arm settles: the last ones
_LARGEST_LEAD = np.array([0.01, 0.01, 0.01, 0.05, 0.05, 0.05])  # m, rad
_SPARE_S = 8.0  # margin beyond the duration of the motion, after which a reset counts as blocked
_SLOWEST_M_S = 0.02
_ROUNDING_M = 1e-6


class LedArm(Protocol):
    """An arm under an impedance controller, as the motion leads it."""

    def read(self) -> RobotState:
        """Return the newest state; never wait for a new one."""

    def lead(self, target: Array, measured: Array) -> None:
        """Send a target pose, given the measured pose. Shapes (7,), base frame."""

    def hold(self) -> None:
        """Make the measured pose the target."""

    def set_gains(self, name: GainSet) -> None:
        """Set one of the arm's two sets of gains."""

    def raw_wrench(self) -> Array:
        """Return the newest wrench without tare. Shape (6,), tool frame."""


class StartMotion:
    """Motion of one arm to a pose between episodes.

    Args:
        arm: The arm.
        limits: The limits of the cell.
        period_s: Time between two targets. The reading is judged before each.
        ahead_s: Time at full speed that a target may be ahead of the arm.
        settle_s: Time at rest at the end, with the gains for the policy. The wrench is that of its second half.
        clock: The clock of the readings.
        may_move: Returns whether the operator allows motion; asked again after each reading was checked.
    """

    def __init__(
        self,
        arm: LedArm,
        limits: SafetyLimits,
        period_s: float,
        ahead_s: float,
        settle_s: float,
        clock: Clock,
        may_move: Callable[[], bool] = lambda: True,
    ) -> None:
        self._arm, self._limits = arm, limits
        self._period_s, self._ahead_s, self._settle_s = period_s, ahead_s, settle_s
        self._clock, self._may_move = clock, may_move
        self._lead = np.zeros(6)
        self._steady = np.zeros(6)  # the lead with which the arm last came to rest at a start pose
        self._shaper = PoseShaper(limits.linear, limits.angular, limits.region)

    def is_inside(self, pose: Array) -> bool:
        """Return whether the whole tool is inside the workspace at a pose (7,), base frame."""
        return self._limits.region.excess(pose[:3].tolist(), pose[3:].tolist())[0] <= _ROUNDING_M

    def begin(self, target: Array) -> None:
        """Check a start pose (7,), base frame, and set the gains for precision; nothing moves.

        Raises:
            RobotError: The pose is outside the workspace, or the gains cannot be set.
        """
        if not self.is_inside(target):
            raise RobotError(
                f"start pose: cannot be reached, {np.round(target[:3], 3).tolist()} m is outside the workspace; "
                "correct task.settings or safety"
            )
        self._arm.set_gains("precision")

    def run(self, target: Array, may_go_on: MayGoOn, home: Home | None = None) -> Array | None:
        """Move to a pose inside the workspace and come to rest there, with the gains for precision until it rests.

        Args:
            target: Start pose that `begin` has checked, base frame. Shape (7,).
            may_go_on: Called with every reading; False ends the motion, and the arm holds.
            home: Joint-space motion after the way up; returns whether the motion may continue.

        Returns:
            The mean wrench at rest, to subtract from now on, shape (6,); None if the motion has ended early.

        Raises:
            RobotError: An obstacle is in the way.
            TareError: The arm has arrived, but the tool is pressed or shakes.
        """
        start = self._pose()
        self._shaper.begin(start)
        above = start.copy()
        above[2] = max(above[2], target[2])
        there = self._go(above, _PASSED_M, may_go_on) if above[2] - start[2] > _PASSED_M else True
        if there and home is not None:
            there = home(lambda state: self._may_move() and may_go_on(state))
            self._shaper.begin(self._pose())
        there = there and self._go(target, _REACHED_M, may_go_on, self._steady)
        wrenches: list[Array] = []
        if there:
            self._steady = self._lead.copy()
            self._arm.set_gains("compliance")
            wrenches = self._stay(target, may_go_on)
        if not wrenches:
            self._arm.hold()
            return None
        settled = wrenches[-max(1, round(_TARED_SHARE * len(wrenches))) :]
        return mean_wrench(np.array(settled), self._limits.tare)

    def _pose(self) -> Array:
        pose: Array = self._arm.read().tcp_pose[0]
        return pose

    def _go(self, target: Array, near_m: float, may_go_on: MayGoOn, lead: Array | None = None) -> bool:
        """Move to a target within the limits; return True on arrival, False if motion is no longer allowed.

        Args:
            target: The pose, base frame. Shape (7,).
            near_m: Distance that counts as arrival.
            may_go_on: Called with every reading.
            lead: Lead to begin with [m], [rad], shape (6,); None = zero.
        """
        way_m = float(np.linalg.norm(target[:3] - self._pose()[:3]))
        until_ns = self._clock.now_ns() + round((_SPARE_S + way_m / _SLOWEST_M_S) * _NS)
        self._lead = np.zeros(6) if lead is None else lead.copy()
        while self._clock.now_ns() < until_ns:
            state = self._arm.read()
            if not (self._may_move() and may_go_on(state)):
                return False
            error = pose_difference(target, state.tcp_pose[0])
            away_m, away_rad = float(np.linalg.norm(error[:3])), float(np.linalg.norm(error[3:]))
            is_at_rest = float(np.abs(state.tcp_twist[0, :3]).max()) < _REST_M_S and away_rad < _REACHED_RAD
            if away_m < near_m and (is_at_rest or near_m > _REACHED_M):
                return True
            self._lead_to(target, state)
            if not self._may_move():
                return False  # a stop since the check: the last command must not stay in effect
            self._clock.sleep_until(self._clock.now_ns() + round(self._period_s * _NS))
        self._arm.hold()
        raise RobotError(
            f"start pose: cannot be reached, the arm is still {1e3 * away_m:.1f} mm and {away_rad:.3f} rad away; "
            "look what is in its way, and whether the controller follows"
        )

    def _stay(self, target: Array, may_go_on: MayGoOn) -> list[Array]:
        """Let the arm settle; return the wrenches measured meanwhile, none if motion is no longer allowed."""
        wrenches = []
        until_ns = self._clock.now_ns() + round(self._settle_s * _NS)
        while self._clock.now_ns() < until_ns:
            state = self._arm.read()
            if not (self._may_move() and may_go_on(state)):
                return []
            self._lead_to(target, state)
            self._clock.sleep_until(self._clock.now_ns() + round(self._period_s * _NS))
            wrenches.append(self._arm.raw_wrench())
        return wrenches

    def _lead_to(self, target: Array, state: RobotState) -> None:
        """Send the next point on the way.

        Friction and the posture spring keep an impedance controller from its target. Near the target, once the arm is
        at rest, the error is integrated and added. Earlier it would be that of a swing, which it would prolong. The
        next motion begins with what was found, because the error hardly depends on the pose.
        """
        measured = state.tcp_pose[0]
        error = pose_difference(target, measured)
        if length(error[:3]) < _NEAR_M and length(state.tcp_twist[0, :3]) < _REST_M_S:
            self._lead = np.clip(self._lead + _PER_S * self._period_s * error, -_LARGEST_LEAD, _LARGEST_LEAD)
        wanted = np.concatenate(
            [target[:3] + self._lead[:3], quat_multiply(quat_from_rotvec(self._lead[3:]), target[3:])]
        )
        near = clip_step(measured[None], wanted[None], self._limits, self._ahead_s)
        # From outside the workspace every step leads towards it, because the watchdog accepts no other.
        quat = clip_tilt(near[:, 3:], self._limits)
        goal = np.concatenate([clip_to_workspace(near[:, :3], quat, self._limits), quat], axis=1)[0]
        self._arm.lead(self._shaper.step(goal, self._period_s), measured)

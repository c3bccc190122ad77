"""The safety gate: it limits every command, the operator's or the policy's, before the robot receives it.

It is not a safety function in the sense of ISO 10218. The vendor's limits and an emergency stop take precedence.
"""

from __future__ import annotations

import numpy as np

from steadyhand.robot_envs.frames import Array, length
from steadyhand.robot_envs.robot import RobotCommand, RobotState
from steadyhand.robot_envs.safety.apart import KeepApart
from steadyhand.robot_envs.safety.apart_shaper import ApartShaper
from steadyhand.robot_envs.safety.joint_limits import joint_objection
from steadyhand.robot_envs.safety.limits import SafetyLimits, clip_step, clip_tilt, clip_to_workspace
from steadyhand.robot_envs.safety.plausibility import Plausibility
from steadyhand.robot_envs.safety.shaper import PoseShaper
from steadyhand.robot_envs.safety.stop_latch import StopLatch
from steadyhand.robot_envs.safety.stop_reason import CAUSED_BY_ACTION, StopReason

__all__ = ["CAUSED_BY_ACTION", "SafetyGate", "StopReason", "limit_command", "state_fault", "state_fault_source"]


class SafetyGate:
    """Gate that enforces the limits and latches the first reason to stop.

    Args:
        limits: Limits of the cell.
        control_period_s: Time between two commands.
    """

    def __init__(self, limits: SafetyLimits, control_period_s: float) -> None:
        self.limits = limits
        self._latch = StopLatch()
        self._period_s = control_period_s
        self._plausible = Plausibility(limits.plausible)
        self._shapers: list[PoseShaper] = []
        self._keep_apart = None if limits.apart is None else KeepApart(limits.apart)
        self._apart: ApartShaper | None = None

    def begin(self, tcp_pose: Array) -> None:
        """Start at rest from measured poses, after a motion that did not pass the gate. Shape (n_arms, 7)."""
        self._plausible.forget()
        self._shapers = []
        for pose, limits in zip(tcp_pose, self.limits.for_arms(len(tcp_pose)), strict=True):
            shaper = PoseShaper(limits.linear, limits.angular, limits.region)
            shaper.begin(pose)
            self._shapers.append(shaper)
        self._apart = None if self._keep_apart is None else ApartShaper(self._shapers, self._keep_apart)

    def believe(self, state: RobotState, last: RobotState | None) -> RobotState:
        """Return the state to use: the new one, or the last accepted one while the new one is implausible.

        Too many consecutive implausible readings latch a stop.

        Args:
            state: The newest reading.
            last: The last accepted reading; None = there is none.
        """
        if not state.is_finite() or self._plausible.accepts(state.tcp_pose, state.stamp_ns):
            return state  # a state that is not finite has its own stop reason
        if self._plausible.is_fault:
            self.latch(StopReason.IMPLAUSIBLE_STATE, self._plausible.fault)
        return state if last is None else last

    def check_state(self, state: RobotState, now_ns: int) -> StopReason | None:
        """Latch and return the reason to stop that follows from the robot's state, if any."""
        reason = state_fault(state, now_ns, self.limits)
        source = state_fault_source(state, reason, self.limits)
        if reason is None and self._keep_apart is not None:
            reason, source = self._distance_fault(state, self._keep_apart)
        return self.latch(reason, source)

    def _distance_fault(self, state: RobotState, apart: KeepApart) -> tuple[StopReason | None, str]:
        gap_m = apart.gap_m(state.tcp_pose)
        if gap_m >= apart.limits.stop_distance_m:
            return None, ""
        return StopReason.ARMS_TOO_CLOSE, f"{1e3 * gap_m:.0f} mm"

    def stop(self, reason: StopReason) -> None:
        """Latch a requested stop, from any thread. The first reason stays."""
        self.latch(reason)

    def latch(self, reason: StopReason | None, source: str = "") -> StopReason | None:
        """Latch `reason`, unless it is None or another reason is latched already; return the latched reason."""
        if reason is not None:
            self._latch.stop(reason, source)
        return self._latch.reason

    @property
    def stop_reason(self) -> StopReason | None:
        """The latched reason to stop; None while nothing is latched."""
        return self._latch.reason

    @property
    def stops(self) -> int:
        """Number of all stops, latched or not."""
        return self._latch.stops

    @property
    def stop_text(self) -> str:
        """Reason and source of the stop, such as `camera_stale (wrist)`; "" while nothing is latched."""
        reason, source = self._latch.reason, self._latch.source
        if reason is None:
            return ""
        return f"{reason.value} ({source})" if source else reason.value

    def pass_command(self, command: RobotCommand, state: RobotState) -> RobotCommand | None:
        """Limit a command.

        Returns:
            The command to send; None if the robot must hold, with the reason in ``stop_reason``.
        """
        if not (np.isfinite(command.tcp_pose).all() and np.isfinite(command.gripper_width).all()):
            self.latch(StopReason.NON_FINITE_ACTION)
        if self.stop_reason is not None:
            return None
        if len(self._shapers) != len(command.tcp_pose):
            self.begin(state.tcp_pose)
        goal = limit_command(command, state, self.limits, self._period_s)
        if self._apart is not None:
            return RobotCommand(self._apart.step(goal.tcp_pose, self._period_s), goal.gripper_width)
        shaped = [s.step(pose, self._period_s) for s, pose in zip(self._shapers, goal.tcp_pose, strict=True)]
        return RobotCommand(np.array(shaped), goal.gripper_width)

    def resume(self, since: int | None = None) -> bool:
        """Clear the latched stop; only the operator may confirm that it is safe to resume.

        Args:
            since: Value of `stops` when the operator confirmed; a later stop stays latched. None = now.

        Returns:
            True when no stop is latched now.
        """
        is_clear = self._latch.resume(since)
        if is_clear:
            self._plausible.forget()
        return is_clear


def state_fault(state: RobotState, now_ns: int, limits: SafetyLimits) -> StopReason | None:
    """Return the most basic reason to stop that follows from a state; None when there is none."""
    if not state.is_finite():
        return StopReason.NON_FINITE_STATE
    if state.implausible:
        return StopReason.IMPLAUSIBLE_STATE
    # A stamp from the future is from another clock, and would stay fresh forever.
    if state.silent_source or abs(now_ns - state.stamp_ns) > limits.max_state_age_s * 1e9:
        return StopReason.STALE_STATE
    if not state.ok.all():
        return StopReason.ROBOT_FAULT
    if _joint_fault(state, limits):
        return StopReason.JOINT_LIMIT
    if _too_strong(state, limits, 0):
        return StopReason.FORCE_LIMIT
    return StopReason.TORQUE_LIMIT if _too_strong(state, limits, 3) else None


def state_fault_source(state: RobotState, reason: StopReason | None, limits: SafetyLimits) -> str:
    """Return the name of the source that is silent or at fault, for a reason of `state_fault`; "" if it has none."""
    if reason is StopReason.IMPLAUSIBLE_STATE:
        return state.implausible
    if reason is StopReason.STALE_STATE:
        return state.silent_source
    if reason is StopReason.ROBOT_FAULT:
        return state.fault
    if limits.arms is not None and reason in (StopReason.FORCE_LIMIT, StopReason.TORQUE_LIMIT):
        return _too_strong(state, limits, 0 if reason is StopReason.FORCE_LIMIT else 3)
    return _joint_fault(state, limits) if reason is StopReason.JOINT_LIMIT else ""


def _too_strong(state: RobotState, limits: SafetyLimits, first: int) -> str:
    """Return the name of the arm whose force (`first` 0) or torque (3) is beyond its limit; "" = none."""
    sizes = length(state.wrench[:, first : first + 3]).tolist()
    for size, arm, name in zip(sizes, limits.for_arms(len(sizes)), _names(limits, len(sizes)), strict=True):
        if size > (arm.max_torque_nm if first else arm.max_force_n):
            return name
    return ""


def _names(limits: SafetyLimits, n_arms: int) -> list[str]:
    return [f"arm {index}" for index in range(n_arms)] if limits.arms is None else list(limits.arms)


def _joint_fault(state: RobotState, limits: SafetyLimits) -> str:
    if limits.joints is None:
        return ""
    names = _names(limits, len(state.joint_position))
    for name, at, speed in zip(names, state.joint_position, state.joint_velocity, strict=True):
        if objection := joint_objection(at, speed, limits.joints):
            return objection if limits.arms is None else f"{name}: {objection}"
    return ""


def limit_command(command: RobotCommand, state: RobotState, limits: SafetyLimits, period_s: float) -> RobotCommand:
    """Limit a command to each arm's region, and to the distance from its measured pose that one period allows."""
    targets = []
    for index, arm in enumerate(limits.for_arms(len(command.tcp_pose))):
        row = slice(index, index + 1)
        quat = clip_tilt(command.tcp_pose[row, 3:], arm)
        position = clip_to_workspace(command.tcp_pose[row, :3], quat, arm)
        targets.append(clip_step(state.tcp_pose[row], np.concatenate([position, quat], axis=1), arm, period_s))
    return RobotCommand(np.concatenate(targets), command.gripper_width)

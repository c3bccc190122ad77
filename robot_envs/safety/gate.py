"""The safety gate: every command, a person's or the policy's, passes it on the way to the robot.

It is not a safety function in the sense of ISO 10218: the vendor's limits and an emergency stop stand above it.
"""

from __future__ import annotations

import threading

import numpy as np

from steadyhand.robot_envs.frames import Array, length
from steadyhand.robot_envs.robot import RobotCommand, RobotState
from steadyhand.robot_envs.safety.joint_limits import joint_objection
from steadyhand.robot_envs.safety.limits import SafetyLimits, clip_step, clip_tilt, clip_to_workspace
from steadyhand.robot_envs.safety.plausibility import Plausibility
from steadyhand.robot_envs.safety.shaper import PoseShaper
from steadyhand.robot_envs.safety.stop_reason import CAUSED_BY_ACTION, StopReason

__all__ = ["CAUSED_BY_ACTION", "SafetyGate", "StopReason", "limit_command", "state_fault", "state_fault_source"]


class SafetyGate:
    """Keeps the limits and latches the first reason to stop.

    Args:
        limits: Of the cell.
        control_period_s: Time between two commands.
    """

    def __init__(self, limits: SafetyLimits, control_period_s: float) -> None:
        self.limits = limits
        self.stop_reason: StopReason | None = None
        self.stop_source = ""  # what is silent or at fault, by its name
        self.stops = 0  # counts every reason to stop, latched or not
        self._lock = threading.Lock()
        self._period_s = control_period_s
        self._plausible = Plausibility(limits.plausible)
        self._shapers: list[PoseShaper] = []

    def begin(self, tcp_pose: Array) -> None:
        """Start at rest from measured poses, after any motion that did not pass the gate. Shape (n_arms, 7)."""
        self._plausible.forget()
        self._shapers = []
        for pose in tcp_pose:
            shaper = PoseShaper(self.limits.linear, self.limits.angular, self.limits.region)
            shaper.begin(pose)
            self._shapers.append(shaper)

    def believe(self, state: RobotState, last: RobotState | None) -> RobotState:
        """The state to go on with: the new one, or the last one while the new one cannot be true.

        A run of implausible readings latches a stop.

        Args:
            state: The newest reading.
            last: The one before it that was believed; None = there is none.
        """
        if not state.is_finite() or self._plausible.accepts(state.tcp_pose, state.stamp_ns):
            return state  # what is not finite is a stop of its own
        if self._plausible.is_fault:
            self.latch(StopReason.IMPLAUSIBLE_STATE, self._plausible.fault)
        return state if last is None else last

    def check_state(self, state: RobotState, now_ns: int) -> StopReason | None:
        """Latch and return a reason to stop that the robot's state gives, if any."""
        reason = state_fault(state, now_ns, self.limits)
        return self.latch(reason, state_fault_source(state, reason, self.limits))

    def stop(self, reason: StopReason) -> None:
        """Stop from outside the loop, from any thread: somebody asked for it. The first reason stays."""
        self.latch(reason)

    def latch(self, reason: StopReason | None, source: str = "") -> StopReason | None:
        """Stop for `reason`, unless there is none or the robot is stopped already; return what is latched."""
        if reason is not None:
            with self._lock:
                self.stops += 1
                if self.stop_reason is None:
                    self.stop_source, self.stop_reason = source, reason
        return self.stop_reason

    @property
    def stop_text(self) -> str:
        """The reason and its source, such as `camera_stale (wrist)`; "" while nothing is latched."""
        reason = self.stop_reason
        if reason is None:
            return ""
        return f"{reason.value} ({self.stop_source})" if self.stop_source else reason.value

    def pass_command(self, command: RobotCommand, state: RobotState) -> RobotCommand | None:
        """Bring a command within the limits.

        Returns:
            The command to send; None when the robot must hold, with the reason in ``stop_reason``.
        """
        if not (np.isfinite(command.tcp_pose).all() and np.isfinite(command.gripper_width).all()):
            self.latch(StopReason.NON_FINITE_ACTION)
        if self.stop_reason is not None:
            return None
        if len(self._shapers) != len(command.tcp_pose):
            self.begin(state.tcp_pose)
        goal = limit_command(command, state, self.limits, self._period_s)
        shaped = [s.step(pose, self._period_s) for s, pose in zip(self._shapers, goal.tcp_pose, strict=True)]
        return RobotCommand(np.array(shaped), goal.gripper_width)

    def resume(self, since: int | None = None) -> bool:
        """Clear the latched stop; only the operator says that it is safe to go on.

        Args:
            since: `stops` at the moment when the operator said so; a stop after it stays latched. None = now.

        Returns:
            Whether no stop is latched now.
        """
        with self._lock:
            if since is not None and since != self.stops:
                return self.stop_reason is None
            self.stop_reason, self.stop_source = None, ""
        self._plausible.forget()
        return True


def state_fault(state: RobotState, now_ns: int, limits: SafetyLimits) -> StopReason | None:
    """The reason to stop that a state gives, most basic first; None when there is none."""
    if not state.is_finite():
        return StopReason.NON_FINITE_STATE
    if state.implausible:
        return StopReason.IMPLAUSIBLE_STATE
    # A stamp from the future is of another clock: it would look fresh for ever.
    if state.silent_source or abs(now_ns - state.stamp_ns) > limits.max_state_age_s * 1e9:
        return StopReason.STALE_STATE
    if not state.ok.all():
        return StopReason.ROBOT_FAULT
    if _joint_fault(state, limits):
        return StopReason.JOINT_LIMIT
    if (length(state.wrench[:, :3]) > limits.max_force_n).any():
        return StopReason.FORCE_LIMIT
    if (length(state.wrench[:, 3:]) > limits.max_torque_nm).any():
        return StopReason.TORQUE_LIMIT
    return None


def state_fault_source(state: RobotState, reason: StopReason | None, limits: SafetyLimits) -> str:
    """The name of what is silent or at fault, for a reason that `state_fault` gave; "" where it has none."""
    if reason is StopReason.IMPLAUSIBLE_STATE:
        return state.implausible
    if reason is StopReason.STALE_STATE:
        return state.silent_source
    if reason is StopReason.ROBOT_FAULT:
        return state.fault
    return _joint_fault(state, limits) if reason is StopReason.JOINT_LIMIT else ""


def _joint_fault(state: RobotState, limits: SafetyLimits) -> str:
    if limits.joints is None:
        return ""
    rows = zip(state.joint_position, state.joint_velocity, strict=True)
    return next(filter(None, (joint_objection(at, speed, limits.joints) for at, speed in rows)), "")


def limit_command(command: RobotCommand, state: RobotState, limits: SafetyLimits, period_s: float) -> RobotCommand:
    """Bring a command into the region, and so near to the measured pose that it can be reached in one period."""
    quat = clip_tilt(command.tcp_pose[:, 3:], limits)
    position = clip_to_workspace(command.tcp_pose[:, :3], quat, limits)
    target = clip_step(state.tcp_pose, np.concatenate([position, quat], axis=1), limits, period_s)
    return RobotCommand(target, command.gripper_width)

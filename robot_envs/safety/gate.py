"""The safety gate: every command, a person's or the policy's, passes it on the way to the robot.

It is not a safety function in the sense of ISO 10218: the vendor's limits and an emergency stop stand above it.
"""

from __future__ import annotations

import numpy as np

from robot_envs.frames import length
from robot_envs.robot import RobotCommand, RobotState
from robot_envs.safety.limits import SafetyLimits, clip_step, clip_tilt, clip_to_workspace
from robot_envs.safety.stop_reason import CAUSED_BY_ACTION, StopReason

__all__ = ["CAUSED_BY_ACTION", "SafetyGate", "StopReason", "limit_command", "state_fault"]


class SafetyGate:
    """Keeps the limits and latches the first reason to stop."""

    def __init__(self, limits: SafetyLimits, control_period_s: float) -> None:
        self.limits = limits
        self.stop_reason: StopReason | None = None
        self.stop_source = ""  # what is silent or at fault, by its name
        self._period_s = control_period_s

    def check_state(self, state: RobotState, now_ns: int) -> StopReason | None:
        """Latch and return a reason to stop that the robot's state gives, if any."""
        reason = state_fault(state, now_ns, self.limits)
        sources = {StopReason.STALE_STATE: state.silent_source, StopReason.ROBOT_FAULT: state.fault}
        return self.latch(reason, sources.get(reason, "") if reason else "")

    def stop(self, reason: StopReason) -> None:
        """Stop from outside the loop, from any thread: somebody asked for it. The first reason stays."""
        self.latch(reason)

    def latch(self, reason: StopReason | None, source: str = "") -> StopReason | None:
        """Stop for `reason`, unless there is none or the robot is stopped already; return what is latched."""
        if self.stop_reason is None and reason is not None:
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
        return limit_command(command, state, self.limits, self._period_s)

    def resume(self) -> None:
        """A person says that it is safe to go on."""
        self.stop_reason, self.stop_source = None, ""


def state_fault(state: RobotState, now_ns: int, limits: SafetyLimits) -> StopReason | None:
    """The reason to stop that a state gives, most basic first; None when there is none."""
    if not state.is_finite():
        return StopReason.NON_FINITE_STATE
    # A stamp from the future is of another clock: it would look fresh for ever.
    if state.silent_source or abs(now_ns - state.stamp_ns) > limits.max_state_age_s * 1e9:
        return StopReason.STALE_STATE
    if not state.ok.all():
        return StopReason.ROBOT_FAULT
    if (length(state.wrench[:, :3]) > limits.max_force_n).any():
        return StopReason.FORCE_LIMIT
    if (length(state.wrench[:, 3:]) > limits.max_torque_nm).any():
        return StopReason.TORQUE_LIMIT
    return None


def limit_command(command: RobotCommand, state: RobotState, limits: SafetyLimits, period_s: float) -> RobotCommand:
    """Workspace and tilt first, speed last: a target inside the box, approached from inside, never leaves it."""
    position = clip_to_workspace(command.tcp_pose[:, :3], limits)
    quat = clip_tilt(command.tcp_pose[:, 3:], limits)
    target = clip_step(state.tcp_pose, np.concatenate([position, quat], axis=1), limits, period_s)
    return RobotCommand(target, command.gripper_width)

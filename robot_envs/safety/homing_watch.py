"""Supervision of a joint-space homing: faults, workspace, tilt and speed of the tool, reading by reading."""

from __future__ import annotations

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.robot import RobotError, RobotState
from steadyhand.robot_envs.safety.gate import state_fault, state_fault_source
from steadyhand.robot_envs.safety.joint_limits import JointLimits
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.robot_envs.safety.rate_limit import RateLimits
from steadyhand.robot_envs.safety.watchdog_settings import WatchdogSettings
from steadyhand.runtime.build import ConfigError

__all__ = ["HomingWatch", "require_joint_limits"]

_FAST_READINGS = 3  # consecutive readings above the speed limit; a single one may be noise


class HomingWatch:
    """Checks of the readings of one homing motion.

    Args:
        limits: The limits of the cell.
        margins: The watchdog's settings, for the margins of workspace and tilt.
        start: Reading before the motion. From outside the workspace the tool may only not go farther out.
    """

    def __init__(self, limits: SafetyLimits, margins: WatchdogSettings, start: RobotState) -> None:
        self._limits, self._margins = limits, margins
        self._start, self._fast = self._excess(start), 0

    def require_limits(self, state: RobotState, now_ns: int) -> None:
        """Check a reading.

        Raises:
            RobotError: A limit is broken; the line says which, and the remedy.
        """
        limits = self._limits
        fault = state_fault(state, now_ns, limits)
        if fault is not None:
            source = state_fault_source(state, fault, limits)
            named = f"{fault.value} ({source})" if source else fault.value
            raise RobotError(f"homing: stopped, {named}; look what is in the arm's way, then enable again")
        outside, tilted = self._excess(state)
        if outside > max(self._start[0], 0.0) + self._margins.box_margin_m:
            raise RobotError(
                f"homing: stopped, the tool is {1e3 * outside:.0f} mm outside the workspace; correct "
                "homing.position_rad or safety"
            )
        if tilted > max(self._start[1], 0.0) + self._margins.tilt_margin_rad:
            raise RobotError(
                f"homing: stopped, the tool is tilted by {tilted:.2f} rad more than it may; correct "
                "homing.position_rad or safety.max_tilt_rad"
            )
        speed = float(np.linalg.norm(state.tcp_twist[0, :3]))
        self._fast = self._fast + 1 if speed > limits.max_tcp_speed_m_s else 0
        if self._fast >= _FAST_READINGS:
            raise RobotError(
                f"homing: stopped, expected a tool speed of at most {limits.max_tcp_speed_m_s} m/s, found "
                f"{speed:.2f} m/s; lower homing.max_velocity_rad_s"
            )

    def _excess(self, state: RobotState) -> tuple[float, float]:
        """Return the tool's distance outside the workspace [m] and tilt beyond the limit [rad]; negative if inside."""
        outside, tilted = self._limits.region.excess(state.tcp_pose[0, :3].tolist(), state.tcp_pose[0, 3:].tolist())
        return outside, tilted


def require_joint_limits(home: Array, rates: RateLimits, limits: JointLimits) -> None:
    """Check a home position (n_joints,) [rad] and the motion to it against the limits of the joints.

    Raises:
        ConfigError: A joint's home is outside its range, or the motion exceeds a joint's rate limits.
    """
    for index, (at, low, high) in enumerate(zip(home.tolist(), limits.low_rad, limits.high_rad, strict=True)):
        if not low + limits.margin_rad <= at <= high - limits.margin_rad:
            raise ConfigError(
                f"homing.position_rad: expected joint {index + 1} in its range with the margin, {low:.2f} to "
                f"{high:.2f} rad less {limits.margin_rad}, found {at:.2f}"
            )
    for name in ("speed", "acceleration", "jerk"):
        ours, most = getattr(rates, name), getattr(limits.rates, name)
        if ours > most:
            raise ConfigError(f"homing: expected a joints' {name} of at most {most} (safety.joints), found {ours}")

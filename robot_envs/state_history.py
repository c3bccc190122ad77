"""A short history of robot states, and the state at a time between two of them."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from steadyhand.robot_envs.frames import Array, quat_from_rotvec, quat_inverse, quat_multiply, rotvec_from_quat
from steadyhand.robot_envs.robot import RobotState

__all__ = ["StateHistory"]


class StateHistory:
    """The newest states of one episode, oldest first.

    Args:
        span_s: Time that the history covers at least.
    """

    def __init__(self, span_s: float) -> None:
        self._span_ns = round(span_s * 1e9)
        self._states: deque[RobotState] = deque()

    def begin(self, state: RobotState) -> None:
        """Start an episode at rest: before its first state, the arm was where that state says."""
        self._states.clear()
        self._states.append(state)

    def add(self, state: RobotState) -> None:
        """Add the newest state. One that is not newer, as after an implausible reading, is ignored."""
        if state.stamp_ns <= self._states[-1].stamp_ns:
            return
        self._states.append(state)
        while self._states[1].stamp_ns < state.stamp_ns - self._span_ns:
            self._states.popleft()

    def at(self, stamp_ns: int) -> RobotState:
        """Return the state at a time: the motion as it was then, everything else as it is now.

        Pose, twist and gripper are interpolated: positions by a cubic through both positions and velocities, and
        orientations at a constant rate. The wrench, the joints and the flags are the newest ones. A time before the
        history gives the oldest motion, one after it the newest state.
        """
        newest = self._states[-1]
        if stamp_ns >= newest.stamp_ns:
            return newest
        after = next(index for index, state in enumerate(self._states) if state.stamp_ns > stamp_ns)
        if after == 0:
            return _with_motion(newest, self._states[0])
        before, later = self._states[after - 1], self._states[after]
        return _with_motion(newest, _between(before, later, stamp_ns))


def _with_motion(newest: RobotState, past: RobotState) -> RobotState:
    return replace(newest, tcp_pose=past.tcp_pose, tcp_twist=past.tcp_twist, gripper_width=past.gripper_width)


def _between(a: RobotState, b: RobotState, stamp_ns: int) -> RobotState:
    span_s = (b.stamp_ns - a.stamp_ns) / 1e9
    share = (stamp_ns - a.stamp_ns) / (b.stamp_ns - a.stamp_ns)
    square, cube = share**2, share**3
    position = (
        (2.0 * cube - 3.0 * square + 1.0) * a.tcp_pose[:, :3]
        + (cube - 2.0 * square + share) * span_s * a.tcp_twist[:, :3]
        + (3.0 * square - 2.0 * cube) * b.tcp_pose[:, :3]
        + (cube - square) * span_s * b.tcp_twist[:, :3]
    )
    turn = rotvec_from_quat(quat_multiply(quat_inverse(a.tcp_pose[:, 3:]), b.tcp_pose[:, 3:]))
    quat = quat_multiply(a.tcp_pose[:, 3:], quat_from_rotvec(share * turn))
    return replace(
        b,
        tcp_pose=np.concatenate([position, quat], axis=1),
        tcp_twist=_mix(a.tcp_twist, b.tcp_twist, share),
        gripper_width=_mix(a.gripper_width, b.gripper_width, share),
    )


def _mix(a: Array, b: Array, share: float) -> Array:
    mixed: Array = (1.0 - share) * a + share * b
    return mixed

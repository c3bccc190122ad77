"""Two arms: the left one holds a socket, the right one inserts a peg into it. The actions have 12 entries.

The place of the socket in the left hand is known only as an estimate, as after a grasp. Its error is larger than the
clearance, so the right arm has to search by touch. The left arm has to hold the socket in its place against the peg: a
relative action starts from the measured pose, so an arm with small actions in any direction gives way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import (
    Array,
    length,
    pose,
    pose_compose,
    pose_from_vector,
    pose_relative,
    pose_to_vector,
    quat_from_rotvec,
)
from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.tasks.task import REACH_M, TOOL_DOWN, TOOL_DOWN_TURNED, EpisodePlan, ObservedVector, Outcome
from steadyhand.robot_envs.workpieces import Workpieces
from steadyhand.runtime.ranges import expect_above, expect_length, expect_within

__all__ = ["BimanualInsert", "BimanualInsertSettings"]

LEFT, RIGHT = 0, 1
_SCALE = (0.02, 0.02, 0.02, 0.1, 0.1, 0.1)  # m, rad: typical distance from the socket during an episode
_TURN = np.array([0.0, 0.0, 1.0, 0.0])  # half a turn about the left tool's z axis: as the right tool stands


@dataclass(frozen=True)
class BimanualInsertSettings:
    """Settings of the task; lengths in metres, positions in the base frame of the left arm.

    Attributes:
        hold_position_m: Middle of the region from which the left tool's start is drawn; it holds the socket there.
        hold_range_m: Half width of that region, per axis.
        socket_reach_m: Distance of the socket's mouth from the left TCP, along the tool's x axis.
        socket_rise_m: Height of the mouth over the left TCP.
        estimate_error_m: Error of the socket's estimated place, uniform within +- this, per axis, fixed for an episode.
        start_height_m: Height of the peg's tip above the socket in the middle of the right arm's start region.
        start_range_m: Half width of that region, per axis.
        start_tilt_rad: Error of the right tool's start orientation, uniform within +- this, about each axis.
        peg_length_m: Distance from the right TCP to the peg's tip.
        peg_width_m: Opening of the gripper that holds the peg.
        handle_width_m: Opening of the gripper that holds the socket.
        hold_tolerance_m: Distance of the left tool from its place, within which an insertion counts.
        success_depth_m: Depth of the tip in the socket that counts as inserted.
        success_speed_m_s: Speed of both tools below which an insertion counts.
    """

    hold_position_m: tuple[float, ...]
    hold_range_m: tuple[float, ...]
    socket_reach_m: float
    socket_rise_m: float
    estimate_error_m: float
    start_height_m: float
    start_range_m: float
    start_tilt_rad: float
    peg_length_m: float
    peg_width_m: float
    handle_width_m: float
    hold_tolerance_m: float
    success_depth_m: float
    success_speed_m_s: float

    def __post_init__(self) -> None:
        expect_length(self, 3, "hold_position_m", "hold_range_m")
        expect_within(self, -REACH_M, REACH_M, "hold_position_m", "socket_reach_m", "socket_rise_m", "start_height_m")
        expect_within(self, 0.0, REACH_M, "hold_range_m", "estimate_error_m", "start_range_m", "peg_length_m")
        expect_within(self, 0.0, np.pi, "start_tilt_rad")
        expect_above(self, 0.0, "peg_width_m", "handle_width_m", "success_depth_m", "success_speed_m_s")
        expect_above(self, 0.0, "hold_tolerance_m")


class BimanualInsert:
    """The task; two arms."""

    settings_type = BimanualInsertSettings
    episode_settings = (
        "hold_position_m",
        "hold_range_m",
        "estimate_error_m",
        "start_height_m",
        "start_range_m",
        "start_tilt_rad",
    )
    privileged = ("socket_estimate",)
    reward_terms = ("inserted",)

    def __init__(self, settings: BimanualInsertSettings) -> None:
        self._settings = settings
        self._tip_in_tool = pose([0.0, 0.0, settings.peg_length_m])
        # The socket in the left tool; its axes are those of the right tool that stands over it.
        self._socket = pose([settings.socket_reach_m, 0.0, -settings.socket_rise_m], _TURN)
        self._estimate = self._socket
        self._hold = pose(settings.hold_position_m, TOOL_DOWN)
        self.observed = {"socket_estimate": ObservedVector(6, 1.0, "m, rad", "peg tip", _SCALE)}

    def begin(self, rng: np.random.Generator) -> EpisodePlan:
        """Draw the place of the left arm, the error of the socket's estimate, and the start of the right arm."""
        s = self._settings
        self._hold = pose(np.asarray(s.hold_position_m) + rng.uniform(-1, 1, 3) * s.hold_range_m, TOOL_DOWN)
        error = np.concatenate([rng.uniform(-1, 1, 3) * s.estimate_error_m, np.zeros(3)])
        self._estimate = pose_compose(self._socket, pose_from_vector(error))
        mouth = pose_compose(self._hold, self._socket)[:3]
        above = np.array([0.0, 0.0, s.start_height_m]) + rng.uniform(-s.start_range_m, s.start_range_m, 3)
        tilt = quat_from_rotvec(rng.uniform(-s.start_tilt_rad, s.start_tilt_rad, 3))
        tip = pose_compose(pose(mouth + above, TOOL_DOWN_TURNED), pose(np.zeros(3), tilt))
        right = pose_compose(tip, pose([0.0, 0.0, -s.peg_length_m]))
        return EpisodePlan(np.array([self._hold, right]), np.array([s.handle_width_m, s.peg_width_m]), {})

    def observe(self, state: RobotState, workpieces: Workpieces) -> dict[str, NDArray[np.float32]]:
        """Return the estimated socket relative to the peg's tip: position [m] and rotation vector [rad]. Shape (6,)."""
        return {"socket_estimate": self._from_tip(state, self._estimate).astype(np.float32)}

    def evaluate(self, state: RobotState, workpieces: Workpieces) -> Outcome:
        """Return success if the peg is deep in the socket, the left arm is in its place, and both tools are slow."""
        s = self._settings
        # The right tool's z axis points into the socket.
        away = -self._from_tip(state, self._socket)[:3]
        inserted = away[2] >= s.success_depth_m and float(np.abs(away[:2]).max()) < s.peg_width_m / 2
        slow = float(length(state.tcp_twist[:, :3]).max()) < s.success_speed_m_s
        excess = float(length(state.tcp_pose[LEFT, :3] - self._hold[:3])) - s.hold_tolerance_m
        success = bool(inserted and slow and excess < 0.0)
        progress = float(length(away - np.array([0.0, 0.0, s.success_depth_m]))) + max(excess, 0.0)
        return Outcome(float(success), success, progress, {"inserted": float(success)})

    def truth(self, state: RobotState, workpieces: Workpieces) -> dict[str, Any]:
        """Return socket and estimate relative to the peg's tip, and the left tool's way to its place. Shapes (6,)."""
        return {
            "hole": self._from_tip(state, self._socket),
            "estimate": self._from_tip(state, self._estimate),
            "hold": pose_to_vector(pose_relative(state.tcp_pose[LEFT], self._hold)),
        }

    def _from_tip(self, state: RobotState, socket: Array) -> Array:
        tip = pose_compose(state.tcp_pose[RIGHT], self._tip_in_tool)
        return pose_to_vector(pose_relative(tip, pose_compose(state.tcp_pose[LEFT], socket)))

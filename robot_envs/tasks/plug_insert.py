"""Grasp a plug that stands in a holder, and insert it into a socket with little clearance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import Array, pose, pose_compose, pose_relative, pose_to_vector, quat_from_rotvec
from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.tasks.task import REACH_M, TOOL_DOWN, EpisodePlan, ObservedVector, Outcome
from steadyhand.robot_envs.workpieces import Workpieces
from steadyhand.runtime.ranges import expect_above, expect_length, expect_within

__all__ = ["PlugInsert", "PlugInsertSettings"]

_SCALE = (0.1, 0.1, 0.1, 0.1, 0.1, 0.1)  # m, rad: typical distance during an episode


@dataclass(frozen=True)
class PlugInsertSettings:
    """Settings of the task; lengths in metres, positions in the base frame.

    Attributes:
        grip_side_m: Side of the plug's upper part, which the gripper holds.
        grip_height_m: Height of the middle of that part over the plug's tip.
        holder_position_m: Middle of the region from which the mouth of the holder is drawn.
        holder_range_m: Half width of that region, per axis.
        holder_depth_m: Depth of the holder.
        socket_position_m: Middle of the region from which the mouth of the socket is drawn.
        socket_range_m: Half width of that region, per axis.
        socket_side_m: Side of the socket.
        socket_turn_rad: Turn of the socket about the vertical axis, uniform within +- this.
        start_position_m: Middle of the tool's start region.
        start_range_m: Half width of the start region, per axis.
        gripper_open_m: Opening of the gripper at the start.
        lift_m: Height of the plug's tip over the socket's mouth at which it is carried.
        success_depth_m: Depth of the tip below the socket's mouth that counts as inserted.
    """

    grip_side_m: float
    grip_height_m: float
    holder_position_m: tuple[float, ...]
    holder_range_m: tuple[float, ...]
    holder_depth_m: float
    socket_position_m: tuple[float, ...]
    socket_range_m: tuple[float, ...]
    socket_side_m: float
    socket_turn_rad: float
    start_position_m: tuple[float, ...]
    start_range_m: float
    gripper_open_m: float
    lift_m: float
    success_depth_m: float

    def __post_init__(self) -> None:
        positions = ("holder_position_m", "socket_position_m", "start_position_m")
        expect_length(self, 3, *positions, "holder_range_m", "socket_range_m")
        expect_within(self, -REACH_M, REACH_M, *positions)
        expect_within(self, 0.0, REACH_M, "holder_range_m", "socket_range_m", "start_range_m", "gripper_open_m")
        expect_within(self, 0.0, REACH_M, "holder_depth_m", "lift_m")
        expect_within(self, 0.0, np.pi / 4, "socket_turn_rad")
        expect_above(self, 0.0, "grip_side_m", "grip_height_m", "socket_side_m", "success_depth_m")


class PlugInsert:
    """The task; one arm, whose action has a gripper entry."""

    settings_type = PlugInsertSettings
    episode_settings = (
        "holder_position_m",
        "holder_range_m",
        "socket_position_m",
        "socket_range_m",
        "socket_turn_rad",
        "start_position_m",
        "start_range_m",
    )
    privileged = ("plug", "socket")
    reward_terms = ("inserted",)
    follows_workpieces = True

    def __init__(self, settings: PlugInsertSettings) -> None:
        self._settings = settings
        # The pose of a tool that holds the plug, in the plug's frame.
        self._grasp = pose([0.0, 0.0, settings.grip_height_m], TOOL_DOWN)
        self.observed = {
            "plug": ObservedVector(6, 4.0, "m, rad", "tool", _SCALE),
            "socket": ObservedVector(6, 4.0, "m, rad", "plug tip", _SCALE),
        }

    def begin(self, rng: np.random.Generator) -> EpisodePlan:
        """Draw the holder with the plug in it, the socket, and the start of the tool."""
        s = self._settings
        holder = np.asarray(s.holder_position_m) + rng.uniform(-1, 1, 3) * s.holder_range_m
        socket = np.asarray(s.socket_position_m) + rng.uniform(-1, 1, 3) * s.socket_range_m
        turn = np.array([0.0, 0.0, rng.uniform(-s.socket_turn_rad, s.socket_turn_rad)])
        start = np.asarray(s.start_position_m) + rng.uniform(-s.start_range_m, s.start_range_m, 3)
        placements = {
            "holder": pose(holder),
            "socket": pose(socket, quat_from_rotvec(turn)),
            "plug": pose(holder - [0.0, 0.0, s.holder_depth_m]),
        }
        return EpisodePlan(pose(start, TOOL_DOWN)[None], np.array([s.gripper_open_m]), placements)

    def observe(self, state: RobotState, workpieces: Workpieces) -> dict[str, NDArray[np.float32]]:
        """Return the grasp relative to the tool, and the socket relative to the plug's tip. Shapes (6,); [m], [rad].

        Both are a position and a rotation vector.
        """
        return {
            "plug": self._to_grasp(state, workpieces).astype(np.float32),
            "socket": self._to_socket(workpieces).astype(np.float32),
        }

    def evaluate(self, state: RobotState, workpieces: Workpieces) -> Outcome:
        """Return success if the tip of the plug is in the socket, and deep enough."""
        s = self._settings
        tip = pose_relative(workpieces.pose_of("socket"), workpieces.pose_of("plug"))[:3]
        success = bool(-tip[2] >= s.success_depth_m and float(np.abs(tip[:2]).max()) < s.socket_side_m / 2)
        reach = float(np.linalg.norm(self._to_grasp(state, workpieces)[:3]))
        carry = float(np.linalg.norm(tip + np.array([0.0, 0.0, s.success_depth_m])))
        return Outcome(float(success), success, reach + carry, {"inserted": float(success)})

    def truth(self, state: RobotState, workpieces: Workpieces) -> dict[str, Any]:
        """Return what the policy observes, and the sizes that the expert needs [m]."""
        s = self._settings
        return {
            "plug": self._to_grasp(state, workpieces),
            "socket": self._to_socket(workpieces),
            "lift": s.lift_m,
            "grip_side": s.grip_side_m,
            "gripper_width": float(state.gripper_width[0]),
        }

    def _to_grasp(self, state: RobotState, workpieces: Workpieces) -> Array:
        grasp = pose_compose(workpieces.pose_of("plug"), self._grasp)
        return pose_to_vector(pose_relative(state.tcp_pose[0], grasp))

    def _to_socket(self, workpieces: Workpieces) -> Array:
        return pose_to_vector(pose_relative(workpieces.pose_of("plug"), workpieces.pose_of("socket")))

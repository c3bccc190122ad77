"""Grasp a cube, lift it over the wall of a bin, and let it fall in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import Array, pose, pose_relative
from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.tasks.task import REACH_M, TOOL_DOWN, EpisodePlan, ObservedVector, Outcome
from steadyhand.robot_envs.workpieces import Workpieces
from steadyhand.runtime.ranges import expect_above, expect_length, expect_within


@dataclass(frozen=True)
class PickPlaceSettings:
    """Settings of the task; lengths in metres, positions in the base frame.

    Attributes:
        cube_side_m: Side of the cube.
        cube_position_m: Middle of the region from which the cube's position is drawn.
        cube_range_m: Half width of that region, per axis.
        bin_position_m: Middle of the bin's floor.
        bin_side_m: Inner side of the bin.
        bin_height_m: Height of its walls.
        start_position_m: Middle of the tool's start region.
        start_range_m: Half width of the start region, per axis.
        gripper_open_m: Opening of the gripper at the start.
        lift_m: Height of the tool over the table at which the cube clears the bin's walls.
    """

    cube_side_m: float
    cube_position_m: tuple[float, ...]
    cube_range_m: tuple[float, ...]
    bin_position_m: tuple[float, ...]
    bin_side_m: float
    bin_height_m: float
    start_position_m: tuple[float, ...]
    start_range_m: float
    gripper_open_m: float
    lift_m: float

    def __post_init__(self) -> None:
        positions = ("cube_position_m", "bin_position_m", "start_position_m")
        expect_length(self, 3, *positions, "cube_range_m")
        expect_within(self, -REACH_M, REACH_M, *positions)
        expect_within(self, 0.0, REACH_M, "cube_range_m", "start_range_m", "gripper_open_m", "lift_m")
        expect_above(self, 0.0, "cube_side_m", "bin_side_m", "bin_height_m")


class PickPlace:
    """The task; one arm, whose action has a gripper entry."""

    settings_type = PickPlaceSettings
    episode_settings = ("cube_position_m", "cube_range_m", "bin_position_m", "start_position_m", "start_range_m")
    privileged = ("cube", "bin", "height")
    reward_terms = ("placed",)
    follows_workpieces = True

    def __init__(self, settings: PickPlaceSettings) -> None:
        self._settings = settings
        self._bin = pose(settings.bin_position_m)
        self.observed = {
            "cube": ObservedVector(3, 1.0, "m", "tool", (0.1, 0.1, 0.1)),
            "bin": ObservedVector(3, 1.0, "m", "tool", (0.1, 0.1, 0.1)),
            "height": ObservedVector(1, 1.0, "m", "base", (0.1,)),
        }

    def begin(self, rng: np.random.Generator) -> EpisodePlan:
        """Draw the position of the cube and the start of the tool."""
        s = self._settings
        cube = pose(np.asarray(s.cube_position_m) + rng.uniform(-1, 1, 3) * s.cube_range_m)
        start = np.asarray(s.start_position_m) + rng.uniform(-s.start_range_m, s.start_range_m, 3)
        return EpisodePlan(pose(start, TOOL_DOWN)[None], np.array([s.gripper_open_m]), {"cube": cube, "bin": self._bin})

    def observe(self, state: RobotState, workpieces: Workpieces) -> dict[str, NDArray[np.float32]]:
        """Return cube and bin relative to the tool [m], shapes (3,), and the tool's height over the table [m], (1,)."""
        tool = state.tcp_pose[0]
        return {
            "cube": pose_relative(tool, workpieces.pose_of("cube"))[:3].astype(np.float32),
            "bin": pose_relative(tool, self._bin)[:3].astype(np.float32),
            "height": tool[2:3].astype(np.float32),
        }

    def evaluate(self, state: RobotState, workpieces: Workpieces) -> Outcome:
        """Return success if the cube is in the bin and the gripper has released it."""
        s = self._settings
        cube = workpieces.pose_of("cube")[:3]
        away = cube - self._bin[:3]
        inside = float(np.abs(away[:2]).max()) < s.bin_side_m / 2 and away[2] < s.bin_height_m
        free = float(state.gripper_width[0]) > s.cube_side_m + 0.005
        success = bool(inside and free)
        return Outcome(float(success), success, self._way_to_go(state, cube), {"placed": float(success)})

    def truth(self, state: RobotState, workpieces: Workpieces) -> dict[str, Any]:
        """Return cube and bin relative to the tool in base axes [m], and the heights that the expert needs."""
        tool = state.tcp_pose[0, :3]
        s = self._settings
        return {
            "cube": workpieces.pose_of("cube")[:3] - tool,
            "bin": self._bin[:3] - tool,
            "height": float(tool[2]),
            "lift": s.lift_m,
            "cube_side": s.cube_side_m,
            "gripper_width": float(state.gripper_width[0]),
        }

    def _way_to_go(self, state: RobotState, cube: Array) -> float:
        reach = float(np.linalg.norm(cube - state.tcp_pose[0, :3]))
        carry = float(np.linalg.norm((cube - self._bin[:3])[:2]))
        return (
            reach + carry + max(0.0, self._settings.lift_m - float(cube[2])) * (carry > self._settings.bin_side_m / 2)
        )

"""Carry a cube from one bin to another and back: the end of an episode is the start of the next one.

Practice needs no scripted reset: the direction of an episode follows from the bin in which the cube lies. SERL trains
the same task with a policy for each direction (arXiv 2401.16013, object relocation); here one policy reads the goal.
"""

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

_BINS = ("bin_a", "bin_b")
_FREE_M = 0.005  # gripper wider than the cube by this: the cube is released


@dataclass(frozen=True)
class RelocateSettings:
    """Settings of the task; lengths in metres, positions in the base frame.

    Attributes:
        cube_side_m: Side of the cube.
        bin_a_position_m: Middle of the floor of bin A.
        bin_b_position_m: Middle of the floor of bin B.
        bin_side_m: Inner side of a bin.
        bin_height_m: Height of its walls.
        field_low_m: Lower corner of the field that the arm can fetch the cube from.
        field_high_m: Upper corner of that field.
        start_position_m: Middle of the tool's start region.
        start_range_m: Half width of the start region, per axis.
        gripper_open_m: Opening of the gripper at the start.
        lift_m: Height of the tool over the table at which the cube clears the bins' walls.
        carry_on: True leaves the cube where the last episode ended, as long as it is in the field. False places it in
            a bin before every episode.
    """

    cube_side_m: float
    bin_a_position_m: tuple[float, ...]
    bin_b_position_m: tuple[float, ...]
    bin_side_m: float
    bin_height_m: float
    field_low_m: tuple[float, ...]
    field_high_m: tuple[float, ...]
    start_position_m: tuple[float, ...]
    start_range_m: float
    gripper_open_m: float
    lift_m: float
    carry_on: bool

    def __post_init__(self) -> None:
        positions = ("bin_a_position_m", "bin_b_position_m", "field_low_m", "field_high_m", "start_position_m")
        expect_length(self, 3, *positions)
        expect_within(self, -REACH_M, REACH_M, *positions)
        expect_within(self, 0.0, REACH_M, "start_range_m", "gripper_open_m", "lift_m")
        expect_above(self, 0.0, "cube_side_m", "bin_side_m", "bin_height_m")


class Relocate:
    """The task; one arm, whose action has a gripper entry."""

    settings_type = RelocateSettings
    episode_settings = ("start_position_m", "start_range_m", "carry_on", "field_low_m", "field_high_m")
    privileged = ("cube", "goal", "height")
    reward_terms = ("to_a", "to_b", "placed_anew")
    follows_workpieces = True

    def __init__(self, settings: RelocateSettings) -> None:
        self._settings = settings
        self._bins = (pose(settings.bin_a_position_m), pose(settings.bin_b_position_m))
        self._goal = 0  # number of the bin
        self._cube: Array | None = None  # newest known pose
        self._placed_anew = True
        self.observed = {
            "cube": ObservedVector(3, 1.0, "m", "tool", (0.1, 0.1, 0.1)),
            "goal": ObservedVector(3, 1.0, "m", "tool", (0.1, 0.1, 0.1)),
            "height": ObservedVector(1, 1.0, "m", "base", (0.1,)),
        }

    def begin(self, rng: np.random.Generator) -> EpisodePlan:
        """Choose the direction and the start of the tool; place the cube only if the last episode lost it."""
        s = self._settings
        start = np.asarray(s.start_position_m) + rng.uniform(-s.start_range_m, s.start_range_m, 3)
        first = int(rng.integers(2))
        self._placed_anew = not s.carry_on or self._cube is None or not self._is_in_field(self._cube)
        if self._placed_anew:
            floor = self._bins[first][:3]
            self._cube = pose([floor[0], floor[1], s.cube_side_m / 2 + 0.005])
        assert self._cube is not None
        lies_in = [index for index in (0, 1) if self._is_inside(self._cube, index)]
        if lies_in:  # else the goal stays: the cube is on its way
            self._goal = 1 - lies_in[0]
        placements = {"cube": self._cube, **dict(zip(_BINS, self._bins, strict=True))}
        return EpisodePlan(pose(start, TOOL_DOWN)[None], np.array([s.gripper_open_m]), placements)

    def observe(self, state: RobotState, workpieces: Workpieces) -> dict[str, NDArray[np.float32]]:
        """Return cube and goal relative to the tool [m], shapes (3,), and the tool's height over the table, (1,)."""
        tool = state.tcp_pose[0]
        return {
            "cube": pose_relative(tool, workpieces.pose_of("cube"))[:3].astype(np.float32),
            "goal": pose_relative(tool, self._bins[self._goal])[:3].astype(np.float32),
            "height": tool[2:3].astype(np.float32),
        }

    def evaluate(self, state: RobotState, workpieces: Workpieces) -> Outcome:
        """Return success if the cube is in the goal's bin and the gripper has released it."""
        s = self._settings
        self._cube = workpieces.pose_of("cube").copy()
        free = float(state.gripper_width[0]) > s.cube_side_m + _FREE_M
        success = bool(self._is_inside(self._cube, self._goal) and free)
        terms = {"to_a": 0.0, "to_b": 0.0, "placed_anew": float(self._placed_anew)}
        terms[self.reward_terms[self._goal]] = float(success)
        return Outcome(float(success), success, self._way_to_go(state, self._cube[:3]), terms)

    def truth(self, state: RobotState, workpieces: Workpieces) -> dict[str, Any]:
        """Return cube and goal relative to the tool in base axes [m], and the heights that the expert needs."""
        tool = state.tcp_pose[0, :3]
        s = self._settings
        return {
            "cube": workpieces.pose_of("cube")[:3] - tool,
            "bin": self._bins[self._goal][:3] - tool,
            "height": float(tool[2]),
            "lift": s.lift_m,
            "cube_side": s.cube_side_m,
            "gripper_width": float(state.gripper_width[0]),
        }

    def _is_inside(self, cube: Array, number: int) -> bool:
        away = cube[:3] - self._bins[number][:3]
        return float(np.abs(away[:2]).max()) < self._settings.bin_side_m / 2 and away[2] < self._settings.bin_height_m

    def _is_in_field(self, cube: Array) -> bool:
        low, high = np.asarray(self._settings.field_low_m), np.asarray(self._settings.field_high_m)
        return bool(np.all(cube[:3] >= low) and np.all(cube[:3] <= high))

    def _way_to_go(self, state: RobotState, cube: Array) -> float:
        s = self._settings
        reach = float(np.linalg.norm(cube - state.tcp_pose[0, :3]))
        carry = float(np.linalg.norm((cube - self._bins[self._goal][:3])[:2]))
        return reach + carry + max(0.0, s.lift_m - float(cube[2])) * (carry > s.bin_side_m / 2)

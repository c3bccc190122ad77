"""Move the tool to a given goal: the smoke test of the whole system around the learning."""

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
class ReachSettings:
    """Settings of the task.

    Attributes:
        start_position_m: Middle of the region from which the tool's start is drawn, base frame.
        start_range_m: Half width of that region, per axis.
        goal_position_m: Middle of the region from which the goal is drawn, base frame.
        goal_range_m: Half width of that region, per axis.
        tolerance_m: Distance to the goal that counts as reached.
        success_speed_m_s: Speed of the tool below which the goal counts as reached.
        gripper_width_m: Opening of the gripper.
    """

    start_position_m: tuple[float, ...]
    start_range_m: tuple[float, ...]
    goal_position_m: tuple[float, ...]
    goal_range_m: tuple[float, ...]
    tolerance_m: float
    success_speed_m_s: float
    gripper_width_m: float

    def __post_init__(self) -> None:
        expect_length(self, 3, "start_position_m", "start_range_m", "goal_position_m", "goal_range_m")
        expect_within(self, -REACH_M, REACH_M, "start_position_m", "goal_position_m")
        expect_within(self, 0.0, REACH_M, "start_range_m", "goal_range_m", "gripper_width_m")
        expect_above(self, 0.0, "tolerance_m", "success_speed_m_s")


class Reach:
    """The task; one arm."""

    settings_type = ReachSettings
    episode_settings = ("start_position_m", "start_range_m", "goal_position_m", "goal_range_m")
    privileged = ("goal",)
    reward_terms = ("reached",)

    def __init__(self, settings: ReachSettings) -> None:
        self._settings = settings
        self._goal = pose(settings.goal_position_m)
        self.observed = {"goal": ObservedVector(3, 1.0, "m", "tool", (0.1, 0.1, 0.1))}

    def begin(self, rng: np.random.Generator) -> EpisodePlan:
        """Draw the goal and the start."""
        s = self._settings
        self._goal = pose(np.asarray(s.goal_position_m) + rng.uniform(-1, 1, 3) * s.goal_range_m)
        start = pose(np.asarray(s.start_position_m) + rng.uniform(-1, 1, 3) * s.start_range_m, TOOL_DOWN)
        return EpisodePlan(start[None], np.array([s.gripper_width_m]), {"goal": self._goal})

    def observe(self, state: RobotState, workpieces: Workpieces) -> dict[str, NDArray[np.float32]]:
        """Return the goal relative to the tool [m]. Shape (3,)."""
        return {"goal": self._goal_in_tool(state).astype(np.float32)}

    def evaluate(self, state: RobotState, workpieces: Workpieces) -> Outcome:
        """Return success if the tool is near the goal and slow."""
        distance = float(np.linalg.norm(self._goal_in_tool(state)))
        slow = float(np.linalg.norm(state.tcp_twist[0, :3])) < self._settings.success_speed_m_s
        success = distance < self._settings.tolerance_m and slow
        return Outcome(float(success), success, distance, {"reached": float(success)})

    def truth(self, state: RobotState, workpieces: Workpieces) -> dict[str, Any]:
        """Return the goal relative to the tool [m]. Shape (3,)."""
        return {"goal": self._goal_in_tool(state)}

    def _goal_in_tool(self, state: RobotState) -> Array:
        return pose_relative(state.tcp_pose[0], self._goal)[:3]

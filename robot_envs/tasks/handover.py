"""Two arms: the left one takes a bar from the table and gives it to the right one, which carries it to its goal.

The bar lies along x. Each gripper has its own end of it, so that both can hold it at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import Array, pose, pose_compose, pose_relative
from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.tasks.task import REACH_M, TOOL_DOWN, TOOL_DOWN_TURNED, EpisodePlan, ObservedVector, Outcome
from steadyhand.robot_envs.workpieces import Workpieces
from steadyhand.runtime.ranges import expect_above, expect_length, expect_within

__all__ = ["Handover", "HandoverSettings"]

BAR = "bar"  # name of the object
LEFT, RIGHT = 0, 1
_AXES = (0.1, 0.1, 0.1)  # m: typical distance during an episode
_SLACK_M = 0.003  # of a gripper's opening around the bar


@dataclass(frozen=True)
class HandoverSettings:
    """Settings of the task; lengths in metres, positions in the base frame of the left arm.

    Attributes:
        bar_side_m: Side of the bar's section.
        grasp_m: Distance of each arm's grasp from the middle of the bar.
        bar_position_m: Middle of the region from which the bar's position on the table is drawn.
        bar_range_m: Half width of that region, per axis.
        meeting_position_m: Place of the bar's middle at which the arms hand it over.
        goal_position_m: Middle of the region from which the bar's goal is drawn.
        goal_range_m: Half width of that region, per axis.
        left_start_m: Middle of the left tool's start region.
        right_start_m: Middle of the right tool's start region.
        start_range_m: Half width of the start regions, per axis.
        gripper_open_m: Opening of both grippers at the start.
        grasp_tolerance_m: Distance of a tool from its grasp within which a closed gripper holds the bar.
        tolerance_m: Distance of the bar from its goal that counts as there.
    """

    bar_side_m: float
    grasp_m: float
    bar_position_m: tuple[float, ...]
    bar_range_m: tuple[float, ...]
    meeting_position_m: tuple[float, ...]
    goal_position_m: tuple[float, ...]
    goal_range_m: tuple[float, ...]
    left_start_m: tuple[float, ...]
    right_start_m: tuple[float, ...]
    start_range_m: float
    gripper_open_m: float
    grasp_tolerance_m: float
    tolerance_m: float

    def __post_init__(self) -> None:
        places = ("bar_position_m", "meeting_position_m", "goal_position_m", "left_start_m", "right_start_m")
        expect_length(self, 3, *places, "bar_range_m", "goal_range_m")
        expect_within(self, -REACH_M, REACH_M, *places)
        expect_within(self, 0.0, REACH_M, "bar_range_m", "goal_range_m", "start_range_m", "gripper_open_m", "grasp_m")
        expect_above(self, 0.0, "bar_side_m", "grasp_tolerance_m", "tolerance_m")


class Handover:
    """The task; two arms, whose actions have a gripper entry each."""

    settings_type = HandoverSettings
    episode_settings = (
        "bar_position_m",
        "bar_range_m",
        "goal_position_m",
        "goal_range_m",
        "left_start_m",
        "right_start_m",
        "start_range_m",
    )
    privileged = ("bar", "meeting", "goal")
    reward_terms = ("given",)
    follows_workpieces = True

    def __init__(self, settings: HandoverSettings) -> None:
        self._settings = settings
        self._grasps = (pose([-settings.grasp_m, 0.0, 0.0]), pose([settings.grasp_m, 0.0, 0.0]))
        self._goal = np.asarray(settings.goal_position_m, np.float64)
        self._meeting = np.asarray(settings.meeting_position_m, np.float64)
        self.observed = {
            "bar": ObservedVector(6, 2.0, "m", "each tool", _AXES * 2),
            "meeting": ObservedVector(3, 2.0, "m", "left tool", _AXES),
            "goal": ObservedVector(3, 2.0, "m", "right tool", _AXES),
            "tools": ObservedVector(3, 2.0, "m", "left tool", _AXES),
            "grasped": ObservedVector(2, 1.0, "1", "gripper", (0.5, 0.5)),
        }

    def begin(self, rng: np.random.Generator) -> EpisodePlan:
        """Draw the bar, its goal, and the starts of both tools."""
        s = self._settings
        bar = np.asarray(s.bar_position_m) + rng.uniform(-1, 1, 3) * s.bar_range_m
        self._goal = np.asarray(s.goal_position_m) + rng.uniform(-1, 1, 3) * s.goal_range_m
        left = np.asarray(s.left_start_m) + rng.uniform(-s.start_range_m, s.start_range_m, 3)
        right = np.asarray(s.right_start_m) + rng.uniform(-s.start_range_m, s.start_range_m, 3)
        start = np.array([pose(left, TOOL_DOWN), pose(right, TOOL_DOWN_TURNED)])
        return EpisodePlan(start, np.full(2, s.gripper_open_m), {BAR: pose(bar)})

    def observe(self, state: RobotState, workpieces: Workpieces) -> dict[str, NDArray[np.float32]]:
        """Return places relative to the tools [m].

        `bar` (6,) is each arm's grasp in the frame of its tool. `meeting` (3,) is the way of the bar's middle to the
        place of the handover, in the left tool's frame. `goal` (3,) is its way to the goal, in the right tool's frame.
        `tools` (3,) is the right tool in the left tool's frame. `grasped` (2,) is 1 for each gripper that is as open as
        the bar is wide, as a real gripper reports it.
        """
        tools, bar = state.tcp_pose, workpieces.pose_of(BAR)
        grasps = [pose_relative(tool, at)[:3] for tool, at in zip(tools, self._places(bar), strict=True)]
        return {
            "bar": np.concatenate(grasps).astype(np.float32),
            "meeting": _in_tool(tools[LEFT], self._meeting - bar[:3]).astype(np.float32),
            "goal": _in_tool(tools[RIGHT], self._goal - bar[:3]).astype(np.float32),
            "tools": pose_relative(tools[LEFT], tools[RIGHT])[:3].astype(np.float32),
            "grasped": (np.abs(state.gripper_width - self._settings.bar_side_m) < _SLACK_M).astype(np.float32),
        }

    def evaluate(self, state: RobotState, workpieces: Workpieces) -> Outcome:
        """Return success if the right arm alone holds the bar, at its goal."""
        bar = workpieces.pose_of(BAR)
        away = float(np.linalg.norm(bar[:3] - self._goal))
        given = self._is_given(state, bar)
        success = given and away < self._settings.tolerance_m
        return Outcome(float(success), success, self._way_to_go(state, bar, given), {"given": float(success)})

    def truth(self, state: RobotState, workpieces: Workpieces) -> dict[str, Any]:
        """Return the ways of both tools to their grasps and of the bar to its places, in base axes [m]."""
        bar = workpieces.pose_of(BAR)
        ways = [at[:3] - tool[:3] for tool, at in zip(state.tcp_pose, self._places(bar), strict=True)]
        return {
            "grasps": np.array(ways),
            "meeting": self._meeting - bar[:3],
            "goal": self._goal - bar[:3],
            "widths": state.gripper_width.copy(),
            "bar_side": self._settings.bar_side_m,
            "tcp_pose": state.tcp_pose.copy(),
        }

    def _places(self, bar: Array) -> tuple[Array, Array]:
        left, right = self._grasps
        return pose_compose(bar, left), pose_compose(bar, right)

    def _is_given(self, state: RobotState, bar: Array) -> bool:
        s = self._settings
        right = float(np.linalg.norm(self._places(bar)[RIGHT][:3] - state.tcp_pose[RIGHT, :3]))
        # A gripper that closed beside the bar is narrower than the bar.
        holds = right < s.grasp_tolerance_m and abs(float(state.gripper_width[RIGHT]) - s.bar_side_m) < _SLACK_M
        return holds and float(state.gripper_width[LEFT]) > s.bar_side_m + 0.005

    def _way_to_go(self, state: RobotState, bar: Array, given: bool) -> float:
        carry = float(np.linalg.norm(self._goal - bar[:3]))
        if given:
            return carry
        left, right = self._places(bar)
        reach = float(np.linalg.norm(left[:3] - state.tcp_pose[LEFT, :3]))
        meet = float(np.linalg.norm(self._meeting - bar[:3]))
        take = float(np.linalg.norm(right[:3] - state.tcp_pose[RIGHT, :3]))
        return reach + meet + take + carry


def _in_tool(tool: Array, way: Array) -> Array:
    """Return a vector of base axes in the axes of a tool. Shapes (7,) and (3,)."""
    return pose_relative(pose(np.zeros(3), tool[3:]), pose(way))[:3]

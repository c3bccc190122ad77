"""Wipe a line of marks off a board with a pad, while the measured force stays within a window.

The height of the board is known only as an estimate, and its tilt is unknown. So a policy has to press by the wrench:
too light a touch wipes nothing, and too strong a one ends the episode as a failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import Array, pose, pose_compose, pose_relative, quat_from_rotvec
from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.tasks.task import REACH_M, TOOL_DOWN, EpisodePlan, ObservedVector, Outcome
from steadyhand.robot_envs.workpieces import Workpieces
from steadyhand.runtime.ranges import expect, expect_above, expect_at_least, expect_length, expect_within

__all__ = ["Wipe", "WipeSettings"]

_AXES = (0.05, 0.05, 0.03)  # m: typical distance of the pad from a mark
_WIPED = pose([0.0, 0.0, -1.0])  # place of a wiped mark, out of sight of every camera


@dataclass(frozen=True)
class WipeSettings:
    """Settings of the task; lengths in metres, positions in the base frame.

    Attributes:
        board_position_m: Middle of the board's upper face.
        board_range_m: Half width of the region from which it is drawn, per axis.
        board_tilt_rad: Tilt of the board, uniform within +- this, about each horizontal axis.
        height_error_m: Error of the estimated height, uniform within +- this, fixed for an episode.
        marks: Number of marks; the scene has a fixture `mark_0`, `mark_1`, ... for each.
        spacing_m: Distance between two marks.
        line_range_m: Half width of the region around the board's middle from which the line's middle is drawn.
        line_turn_rad: Direction of the line from the base's y axis, uniform within +- this.
        pad_length_m: Distance from the TCP to the pad's face.
        pad_radius_m: Distance from the pad's middle within which it wipes.
        gripper_width_m: Opening of the gripper that holds the pad.
        start_height_m: Height of the pad over the board in the middle of the start region.
        start_range_m: Half width of the start region, per axis.
        force_window_n: Least and greatest normal force that wipes.
        max_force_n: Normal force above which the episode has failed.
    """

    board_position_m: tuple[float, ...]
    board_range_m: tuple[float, ...]
    board_tilt_rad: float
    height_error_m: float
    marks: int
    spacing_m: float
    line_range_m: float
    line_turn_rad: float
    pad_length_m: float
    pad_radius_m: float
    gripper_width_m: float
    start_height_m: float
    start_range_m: float
    force_window_n: tuple[float, ...]
    max_force_n: float

    def __post_init__(self) -> None:
        expect_length(self, 3, "board_position_m", "board_range_m")
        expect_length(self, 2, "force_window_n")
        expect_within(self, -REACH_M, REACH_M, "board_position_m")
        expect_within(self, 0.0, REACH_M, "board_range_m", "height_error_m", "line_range_m", "pad_length_m")
        expect_within(self, 0.0, REACH_M, "gripper_width_m", "start_height_m", "start_range_m")
        expect_within(self, 0.0, np.pi, "board_tilt_rad", "line_turn_rad")
        expect_above(self, 0.0, "spacing_m", "pad_radius_m", "max_force_n")
        expect_at_least(self, 1, "marks")
        least, most = self.force_window_n
        expect(0.0 < least < most, "force_window_n", "[least, greatest], 0 < least < greatest", (least, most))
        expect(most <= self.max_force_n, "max_force_n", f"at least {most:g}, the window's end", self.max_force_n)


class Wipe:
    """The task; one arm."""

    settings_type = WipeSettings
    episode_settings = (
        "board_position_m",
        "board_range_m",
        "board_tilt_rad",
        "height_error_m",
        "line_range_m",
        "line_turn_rad",
        "start_height_m",
        "start_range_m",
    )
    privileged = ("first", "last", "left")
    reward_terms = ("wiped", "pressed_too_hard")

    def __init__(self, settings: WipeSettings) -> None:
        self._settings = settings
        self._names = [f"mark_{index}" for index in range(settings.marks)]
        self._marks = np.zeros((settings.marks, 3))  # base frame [m]; the first one is the nearest to the start
        self._error = np.zeros(3)  # of the estimated places [m]
        self._left = np.ones(settings.marks, np.bool_)
        self._pad_in_tool = pose([0.0, 0.0, settings.pad_length_m])
        length_m = settings.marks * settings.spacing_m
        self.observed = {
            "first": ObservedVector(3, 1.0, "m", "pad", _AXES),
            "last": ObservedVector(3, 1.0, "m", "pad", _AXES),
            "left": ObservedVector(1, length_m, "m", "line", (length_m / 2,)),
        }

    def begin(self, rng: np.random.Generator) -> EpisodePlan:
        """Draw the board, the line on it, the error of its height, and the start of the tool."""
        s = self._settings
        middle = np.asarray(s.board_position_m) + rng.uniform(-1, 1, 3) * s.board_range_m
        tilt = np.array([*rng.uniform(-s.board_tilt_rad, s.board_tilt_rad, 2), 0.0])
        board = pose(middle, quat_from_rotvec(tilt))
        self._error = np.array([0.0, 0.0, rng.uniform(-s.height_error_m, s.height_error_m)])
        turn = rng.uniform(-s.line_turn_rad, s.line_turn_rad)
        across = rng.uniform(-s.line_range_m, s.line_range_m, 2)
        along = (np.arange(s.marks) - (s.marks - 1) / 2) * s.spacing_m
        on_board = across + along[:, None] * [np.sin(turn), np.cos(turn)]
        start = middle + [0.0, 0.0, s.start_height_m + s.pad_length_m] + rng.uniform(-1, 1, 3) * s.start_range_m
        places = np.array([pose_compose(board, pose([*at, 0.0])) for at in on_board])
        ends = np.linalg.norm(places[[0, -1], :2] - start[:2], axis=1)
        places = places if ends[0] <= ends[1] else places[::-1]
        self._marks, self._left = places[:, :3].copy(), np.ones(s.marks, np.bool_)
        placements = {"board": board, **dict(zip(self._names, places, strict=True))}
        return EpisodePlan(pose(start, TOOL_DOWN)[None], np.array([s.gripper_width_m]), placements)

    def observe(self, state: RobotState, workpieces: Workpieces) -> dict[str, NDArray[np.float32]]:
        """Return what is left of the line.

        `first` (3,) and `last` (3,) are the ends of the part with all remaining marks, relative to the pad, at their
        estimated height [m]. `first` is at the end that was nearer to the start. `left` (1,) is the length that
        remains [m].
        """
        first, last = self._ends()
        pad = self._pad(state)
        return {
            "first": pose_relative(pad, pose(self._marks[first] + self._error))[:3].astype(np.float32),
            "last": pose_relative(pad, pose(self._marks[last] + self._error))[:3].astype(np.float32),
            "left": np.array([self._left.sum() * self._settings.spacing_m], np.float32),
        }

    def evaluate(self, state: RobotState, workpieces: Workpieces) -> Outcome:
        """Wipe the marks below the pad if the measured force is within the window. Success: no mark is left.

        A wiped mark disappears from the scene, so that cameras see what is left. A force above the limit is a failure.
        """
        s = self._settings
        pad = self._pad(state)[:3]
        force = self._force(state)
        least, greatest = s.force_window_n
        if least <= force <= greatest:
            below = np.linalg.norm(self._marks - pad, axis=1) < s.pad_radius_m
            for index in np.flatnonzero(below & self._left):
                workpieces.place(self._names[index], _WIPED)
            self._left &= ~below
        failure = force > s.max_force_n
        success = not failure and not self._left.any()
        first, _ = self._ends()
        reach = 0.0 if success else float(np.linalg.norm(self._marks[first] - pad))
        terms = {"wiped": float(success), "pressed_too_hard": float(failure)}
        return Outcome(float(success), success, self._left.sum() * s.spacing_m + reach, terms, failure)

    def truth(self, state: RobotState, workpieces: Workpieces) -> dict[str, Any]:
        """Return the true place of the first remaining mark relative to the pad [m], shape (3,), and the window [N]."""
        first, _ = self._ends()
        return {
            "first": pose_relative(self._pad(state), pose(self._marks[first]))[:3],
            "force": self._force(state),
            "window": self._settings.force_window_n,
            "pad_radius": self._settings.pad_radius_m,
        }

    def _pad(self, state: RobotState) -> Array:
        return pose_compose(state.tcp_pose[0], self._pad_in_tool)

    def _force(self, state: RobotState) -> float:
        """Return the measured force on the pad along the tool's axis, positive when it is pressed [N]."""
        return -float(state.wrench[0, 2])

    def _ends(self) -> tuple[int, int]:
        """Return the first and the last mark that are left; those of the whole line if none is."""
        left = np.flatnonzero(self._left)
        return (int(left[0]), int(left[-1])) if len(left) else (0, len(self._left) - 1)

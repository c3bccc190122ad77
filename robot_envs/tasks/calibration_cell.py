"""A cell with a calibration board, to calibrate cameras in. It has no goal: an episode only ends at its last step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import pose, pose_relative
from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.tasks.task import REACH_M, TOOL_DOWN, EpisodePlan, ObservedVector, Outcome
from steadyhand.robot_envs.workpieces import Workpieces
from steadyhand.runtime.ranges import expect_length, expect_within

__all__ = ["CalibrationCell", "CalibrationCellSettings"]

BOARD = "board"  # name of the fixture


@dataclass(frozen=True)
class CalibrationCellSettings:
    """Settings of the cell.

    Attributes:
        start_position_m: Start of the tool, base frame.
        board_position_m: Nominal middle of the board's printed face, base frame; for a held board, at the start.
        stands: True if the board stands in the cell as the fixture `board`; false if the tool is the board.
        gripper_width_m: Opening of the gripper.
    """

    start_position_m: tuple[float, ...]
    board_position_m: tuple[float, ...]
    stands: bool
    gripper_width_m: float

    def __post_init__(self) -> None:
        expect_length(self, 3, "start_position_m", "board_position_m")
        expect_within(self, -REACH_M, REACH_M, "start_position_m", "board_position_m")
        expect_within(self, 0.0, REACH_M, "gripper_width_m")


class CalibrationCell:
    """The cell; one arm."""

    settings_type = CalibrationCellSettings
    privileged = ("board",)
    reward_terms = ("calibrated",)

    def __init__(self, settings: CalibrationCellSettings) -> None:
        self._settings = settings
        self._board = pose(settings.board_position_m)
        self.observed = {"board": ObservedVector(3, 1.0, "m", "tool", (0.1, 0.1, 0.1))}

    def begin(self, rng: np.random.Generator) -> EpisodePlan:
        """Place the board at its nominal pose; every episode is the same."""
        s = self._settings
        start = pose(s.start_position_m, TOOL_DOWN)
        return EpisodePlan(start[None], np.array([s.gripper_width_m]), {BOARD: self._board} if s.stands else {})

    def observe(self, state: RobotState, workpieces: Workpieces) -> dict[str, NDArray[np.float32]]:
        """Return the nominal board relative to the tool [m]. Shape (3,)."""
        return {"board": pose_relative(state.tcp_pose[0], self._board)[:3].astype(np.float32)}

    def evaluate(self, state: RobotState, workpieces: Workpieces) -> Outcome:
        """Return no success; the progress is the distance to the nominal board [m]."""
        distance = float(np.linalg.norm(pose_relative(state.tcp_pose[0], self._board)[:3]))
        return Outcome(0.0, False, distance, {"calibrated": 0.0})

    def truth(self, state: RobotState, workpieces: Workpieces) -> dict[str, Any]:
        """Return nothing: there is no scripted expert."""
        return {}

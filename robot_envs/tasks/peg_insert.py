"""Insert a square peg into a square hole of which only a wrong estimate is known.

The estimate is off by up to 2 mm per axis, and the clearance is 0.5 mm per side. So going to the estimate and pushing
fails three times in four, and the policy has to search for the hole by touch. The rim supports the peg on the side away
from the hole, which is visible as a torque.
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
    pose_relative,
    pose_to_vector,
    quat_from_rotvec,
    quat_multiply,
)
from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.tasks.task import REACH_M, TOOL_DOWN, EpisodePlan, ObservedVector, Outcome
from steadyhand.robot_envs.workpieces import Workpieces
from steadyhand.runtime.ranges import expect_above, expect_length, expect_within

_SCALE = (0.02, 0.02, 0.02, 0.1, 0.1, 0.1)  # m, rad: typical distance from the hole during an episode


@dataclass(frozen=True)
class PegInsertSettings:
    """Settings of the task; lengths in metres.

    Attributes:
        hole_position_m: Middle of the region from which the hole's mouth is drawn, base frame.
        hole_range_m: Half width of that region, per axis.
        estimate_error_m: Error of the hole estimate, uniform within +- this, per axis, fixed for an episode.
        estimate_error_rad: The same error for its orientation, about each axis. A tilted peg touches with an edge,
            which hides the rim's torque.
        start_height_m: Height of the peg's tip above the hole in the middle of the start region.
        start_range_m: Half width of the start region, per axis.
        start_tilt_rad: Error of the start orientation, uniform within +- this, about each axis.
        peg_length_m: Distance from the TCP to the peg's tip.
        peg_width_m: Opening of the gripper that holds the peg.
        success_depth_m: Depth of the tip below the hole's mouth that counts as inserted.
        success_speed_m_s: Speed of the TCP below which an insertion counts.
    """

    hole_position_m: tuple[float, ...]
    hole_range_m: tuple[float, ...]
    estimate_error_m: float
    estimate_error_rad: float
    start_height_m: float
    start_range_m: float
    start_tilt_rad: float
    peg_length_m: float
    peg_width_m: float
    success_depth_m: float
    success_speed_m_s: float

    def __post_init__(self) -> None:
        expect_length(self, 3, "hole_position_m", "hole_range_m")
        expect_within(self, -REACH_M, REACH_M, "hole_position_m", "start_height_m")
        expect_within(self, 0.0, REACH_M, "hole_range_m", "estimate_error_m", "start_range_m", "peg_length_m")
        expect_within(self, 0.0, np.pi, "estimate_error_rad", "start_tilt_rad")
        expect_above(self, 0.0, "peg_width_m", "success_depth_m", "success_speed_m_s")


class PegInsert:
    """The task; one arm."""

    settings_type = PegInsertSettings
    episode_settings = (
        "hole_position_m",
        "hole_range_m",
        "estimate_error_m",
        "estimate_error_rad",
        "start_height_m",
        "start_range_m",
        "start_tilt_rad",
    )
    privileged = ("hole_estimate",)
    reward_terms = ("inserted",)

    def __init__(self, settings: PegInsertSettings) -> None:
        self._settings = settings
        self._hole = pose(settings.hole_position_m)
        self._estimate = pose(settings.hole_position_m, TOOL_DOWN)
        self._tip_in_tool = pose([0.0, 0.0, settings.peg_length_m])
        self.observed = {"hole_estimate": ObservedVector(6, 1.0, "m, rad", "peg tip", _SCALE)}

    def begin(self, rng: np.random.Generator) -> EpisodePlan:
        """Draw the hole, the error of its estimate, and the start pose."""
        s = self._settings
        hole_position = np.asarray(s.hole_position_m) + rng.uniform(-1, 1, 3) * s.hole_range_m
        self._hole = pose(hole_position)
        error = rng.uniform(-1, 1, 6) * np.repeat([s.estimate_error_m, s.estimate_error_rad], 3)
        self._estimate = pose(hole_position + error[:3], quat_multiply(TOOL_DOWN, quat_from_rotvec(error[3:])))
        above = np.array([0.0, 0.0, s.start_height_m]) + rng.uniform(-s.start_range_m, s.start_range_m, 3)
        tilt = quat_from_rotvec(rng.uniform(-s.start_tilt_rad, s.start_tilt_rad, 3))
        upright = pose(hole_position + above, TOOL_DOWN)
        tip = pose_compose(upright, pose(np.zeros(3), tilt))
        start = pose_compose(tip, pose([0.0, 0.0, -s.peg_length_m]))
        return EpisodePlan(start[None], np.array([s.peg_width_m]), {"hole": self._hole})

    def observe(self, state: RobotState, workpieces: Workpieces) -> dict[str, NDArray[np.float32]]:
        """Return the estimated hole relative to the peg's tip: position [m] and rotation vector [rad]. Shape (6,)."""
        return {"hole_estimate": pose_to_vector(pose_relative(self._tip(state), self._estimate)).astype(np.float32)}

    def evaluate(self, state: RobotState, workpieces: Workpieces) -> Outcome:
        """Return success if the peg is deep enough, over the hole, and slow."""
        s = self._settings
        tip = self._tip(state)[:3] - workpieces.pose_of("hole")[:3]
        inserted = -tip[2] >= s.success_depth_m and float(np.abs(tip[:2]).max()) < s.peg_width_m / 2
        slow = float(length(state.tcp_twist[0, :3])) < s.success_speed_m_s
        success = bool(inserted and slow)
        progress = float(length(tip + np.array([0.0, 0.0, s.success_depth_m])))
        return Outcome(float(success), success, progress, {"inserted": float(success)})

    def truth(self, state: RobotState, workpieces: Workpieces) -> dict[str, Any]:
        """Return the hole and its estimate relative to the peg's tip, as in the observation. Shapes (6,)."""
        hole = pose(workpieces.pose_of("hole")[:3], TOOL_DOWN)
        tip = self._tip(state)
        return {
            "hole": pose_to_vector(pose_relative(tip, hole)),
            "estimate": pose_to_vector(pose_relative(tip, self._estimate)),
        }

    def _tip(self, state: RobotState) -> Array:
        return pose_compose(state.tcp_pose[0], self._tip_in_tool)

"""Lay a cable into a clip: its end is fixed on one side of the clip, and the gripper holds the other one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import (
    Array,
    pose,
    pose_compose,
    pose_relative,
    quat_from_rotvec,
    quat_multiply,
    quat_rotate,
)
from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.tasks.task import REACH_M, TOOL_DOWN, EpisodePlan, ObservedVector, Outcome
from steadyhand.robot_envs.workpieces import Workpieces
from steadyhand.runtime.ranges import expect_above, expect_at_least, expect_length, expect_within

__all__ = ["CableRoute", "CableRouteSettings"]

_AXES = (0.1, 0.1, 0.1)  # m: typical distance during an episode
_NEAR = (0.03, 0.03, 0.05)  # m: typical distance of the cable from the clip


@dataclass(frozen=True)
class CableRouteSettings:
    """Settings of the task; lengths in metres, positions in the base frame.

    Attributes:
        cable_length_m: Length of the cable from its fixed end to the gripper.
        segments: Number of the cable's segments, `cable_0`, `cable_1`, ... of the scene.
        fixed_position_m: Middle of the region from which the fixed end is drawn.
        fixed_range_m: Half width of that region, per axis.
        clip_position_m: Middle of the region from which the foot of the clip is drawn.
        clip_range_m: Half width of that region, per axis.
        clip_turn_rad: Direction of the slot from the way between fixed end and clip, uniform within +- this.
        slot_m: Width of the slot between the posts.
        post_height_m: Height of the posts.
        depth_m: Depth of the cable's middle below the top of the posts that counts as laid.
        success_steps: Control steps in a row for which the cable has to lie there.
        start_rise_rad: Least and greatest elevation of the taut cable at the start.
        start_turn_rad: Direction of the cable at the start from the way to the clip's region, uniform within +- this.
        gripper_width_m: Opening of the gripper that holds the cable.
    """

    cable_length_m: float
    segments: int
    fixed_position_m: tuple[float, ...]
    fixed_range_m: tuple[float, ...]
    clip_position_m: tuple[float, ...]
    clip_range_m: tuple[float, ...]
    clip_turn_rad: float
    slot_m: float
    post_height_m: float
    depth_m: float
    success_steps: int
    start_rise_rad: tuple[float, ...]
    start_turn_rad: float
    gripper_width_m: float

    def __post_init__(self) -> None:
        expect_length(self, 3, "fixed_position_m", "fixed_range_m", "clip_position_m", "clip_range_m")
        expect_length(self, 2, "start_rise_rad")
        expect_within(self, -REACH_M, REACH_M, "fixed_position_m", "clip_position_m")
        expect_within(self, 0.0, REACH_M, "fixed_range_m", "clip_range_m", "gripper_width_m")
        expect_within(self, 0.0, np.pi, "clip_turn_rad", "start_turn_rad", "start_rise_rad")
        expect_above(self, 0.0, "cable_length_m", "slot_m", "post_height_m", "depth_m")
        expect_at_least(self, 1, "segments", "success_steps")


class CableRoute:
    """The task; one arm."""

    settings_type = CableRouteSettings
    episode_settings = (
        "fixed_position_m",
        "fixed_range_m",
        "clip_position_m",
        "clip_range_m",
        "clip_turn_rad",
        "start_rise_rad",
        "start_turn_rad",
    )
    privileged = ("clip", "slot", "fixed", "cable")
    reward_terms = ("laid",)
    follows_workpieces = True

    def __init__(self, settings: CableRouteSettings) -> None:
        self._settings = settings
        self._segments = [f"cable_{index}" for index in range(settings.segments)]
        self._end = pose([settings.cable_length_m / settings.segments, 0.0, 0.0])
        self._laid_steps = 0
        self.observed = {
            "clip": ObservedVector(3, 1.0, "m", "tool", _AXES),
            "slot": ObservedVector(3, 1.0, "1", "tool", (1.0, 1.0, 1.0)),
            "fixed": ObservedVector(3, 1.0, "m", "tool", _AXES),
            "cable": ObservedVector(3, 1.0, "m", "clip", _NEAR),
        }

    def begin(self, rng: np.random.Generator) -> EpisodePlan:
        """Draw the fixed end, the clip, and the direction of the taut cable, at whose end the tool starts."""
        s = self._settings
        self._laid_steps = 0
        fixed = np.asarray(s.fixed_position_m) + rng.uniform(-1, 1, 3) * s.fixed_range_m
        foot = np.asarray(s.clip_position_m) + rng.uniform(-1, 1, 3) * s.clip_range_m
        way = foot - fixed
        turn = np.arctan2(way[1], way[0]) + rng.uniform(-s.clip_turn_rad, s.clip_turn_rad)
        clip = pose(foot, _turned(turn))
        ahead = np.asarray(s.clip_position_m) - s.fixed_position_m
        start_turn = np.arctan2(ahead[1], ahead[0]) + rng.uniform(-s.start_turn_rad, s.start_turn_rad)
        lowest, steepest = s.start_rise_rad
        rise = np.array([0.0, -rng.uniform(lowest, steepest), 0.0])
        cable = pose(fixed, quat_multiply(_turned(start_turn), quat_from_rotvec(rise)))
        start = pose_compose(cable, pose([s.cable_length_m, 0.0, 0.0]))[:3]
        placements = {"cable": cable, "clip": clip}
        return EpisodePlan(pose(start, TOOL_DOWN)[None], np.array([s.gripper_width_m]), placements)

    def observe(self, state: RobotState, workpieces: Workpieces) -> dict[str, NDArray[np.float32]]:
        """Return clip, fixed end, and the cable at the clip.

        `clip` (3,) is the place between the tops of the posts, and `fixed` (3,) the fixed end, both relative to the
        tool [m]. `slot` (3,) is the slot's direction in the tool's axes, a unit vector. `cable` (3,) is the point at
        which the cable passes the clip, in the clip's frame [m].
        """
        tool, clip = state.tcp_pose[0], workpieces.pose_of("clip")
        direction = pose(quat_rotate(clip[3:], np.array([1.0, 0.0, 0.0])))
        return {
            "clip": pose_relative(tool, self._top(clip))[:3].astype(np.float32),
            "slot": pose_relative(pose(np.zeros(3), tool[3:]), direction)[:3].astype(np.float32),
            "fixed": pose_relative(tool, workpieces.pose_of("cable"))[:3].astype(np.float32),
            "cable": self._passing(state, workpieces)[0].astype(np.float32),
        }

    def evaluate(self, state: RobotState, workpieces: Workpieces) -> Outcome:
        """Return success if the cable has passed the clip between its posts, below their top, for some steps."""
        s = self._settings
        point, passes = self._passing(state, workpieces)
        highest = s.post_height_m - s.depth_m
        laid = passes and abs(float(point[1])) < s.slot_m / 2 and float(point[2]) < highest
        self._laid_steps = self._laid_steps + 1 if laid else 0
        success = self._laid_steps >= s.success_steps
        progress = float(np.linalg.norm([point[0], point[1], max(0.0, point[2] - highest)]))
        return Outcome(float(success), success, progress, {"laid": float(success)})

    def truth(self, state: RobotState, workpieces: Workpieces) -> dict[str, Any]:
        """Return clip and fixed end relative to the tool in base axes, and the cable in the clip's frame [m]."""
        tool, clip = state.tcp_pose[0, :3], workpieces.pose_of("clip")
        return {
            "top": self._top(clip)[:3] - tool,
            "fixed": workpieces.pose_of("cable")[:3] - tool,
            "cable": self._passing(state, workpieces)[0],
            "cable_length": self._settings.cable_length_m,
            "post_height": self._settings.post_height_m,
            "height": float(tool[2]),
        }

    def _top(self, clip: Array) -> Array:
        return pose_compose(clip, pose([0.0, 0.0, self._settings.post_height_m]))

    def _passing(self, state: RobotState, workpieces: Workpieces) -> tuple[Array, bool]:
        """Return the cable's point nearest to the plane through the posts, in the clip's frame, and if it passes it.

        Where workpieces are only noted, the cable counts as straight from its fixed end to the tool.
        """
        if getattr(workpieces, "only_noted", False):
            places = [workpieces.pose_of("cable"), state.tcp_pose[0]]
        else:
            places = [workpieces.pose_of(name) for name in self._segments]
            places.append(pose_compose(places[-1], self._end))
        clip = workpieces.pose_of("clip")
        points = np.array([pose_relative(clip, place)[:3] for place in places])
        x = points[:, 0]
        crossings = np.flatnonzero((x[:-1] < 0.0) & (x[1:] >= 0.0))
        if len(crossings) == 0:
            return points[int(np.abs(x).argmin())], False
        first = int(crossings[0])
        share = -x[first] / (x[first + 1] - x[first])
        found: Array = points[first] + share * (points[first + 1] - points[first])
        return found, True


def _turned(angle_rad: float) -> Array:
    """Return the rotation about the vertical axis. Shape (4,)."""
    return quat_from_rotvec(np.array([0.0, 0.0, angle_rad]))

"""Scripted expert of both arms for the handover: one takes the bar and brings it, the other one takes it over."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.experts.expert import ActionScale
from steadyhand.robot_envs.frames import quat_inverse, quat_rotate

_OPEN, _CLOSE = 1.0, -1.0
_GRASP_STEPS = 3
_NEAR_M, _ASIDE_M = 0.008, 0.010
_HELD_M = 0.045  # of a tool from its grasp, with the bar still between its fingers
_HOVER_M = 0.05  # of the left tool over the bar
_LIFT_M = 0.03  # the bar is carried across only this near to the height of the meeting
_WAIT_M = 0.06  # of the right tool beyond its end of the bar
_MET_M = 0.012
_CLEAR_M = 0.10  # distance of the left tool from its end of the bar after its release

Vector = NDArray[np.float64]


class HandoverExpert:
    """Expert that commands steps of both tools in their own frames, and both grippers."""

    def __init__(self, scale: ActionScale) -> None:
        self._scale = scale
        self._closed = np.zeros(2, np.int64)

    def reset(self, info: dict[str, Any]) -> None:
        """Start an episode with both grippers open and empty."""
        self._closed[:] = 0

    def act(self, observation: dict[str, NDArray[Any]], info: dict[str, Any]) -> NDArray[np.float32]:
        """Return a step of each tool and its gripper entry. Shape (14,)."""
        truth = info["truth"]
        near = np.linalg.norm(truth["grasps"], axis=1) < _HELD_M
        # A gripper that closed beside the bar is narrower than the bar.
        holds = (np.abs(truth["widths"] - truth["bar_side"]) < 0.003) & near
        self._closed = np.where(holds, self._closed + 1, 0)
        left_holds, right_holds = self._closed >= _GRASP_STEPS
        rows = [
            self._give(truth, left_holds, right_holds),
            self._take(truth, left_holds, right_holds),
        ]
        actions = [
            self._action(step, gripper, quat)
            for (step, gripper), quat in zip(rows, truth["tcp_pose"][:, 3:], strict=True)
        ]
        return np.concatenate(actions).astype(np.float32)

    def _give(self, truth: dict[str, Any], holds: bool, is_taken: bool) -> tuple[Vector, float]:
        """Return the left arm's step in base axes [m], and its gripper entry."""
        to_grasp, to_meeting = truth["grasps"][0], truth["meeting"]
        if is_taken:
            is_free = truth["widths"][0] > truth["bar_side"] + 0.005
            return np.array([min(to_grasp[0] - _CLEAR_M, 0.0) if is_free else 0.0, 0.0, 0.0]), _OPEN
        if holds:
            is_high = abs(to_meeting[2]) < _LIFT_M
            return np.array([*(to_meeting[:2] if is_high else np.zeros(2)), to_meeting[2]]), _CLOSE
        if float(np.linalg.norm(to_grasp)) < _NEAR_M:
            return to_grasp, _CLOSE
        aside = float(np.abs(to_grasp[:2]).max())
        down = to_grasp[2] if aside < _ASIDE_M else min(0.0, to_grasp[2] + _HOVER_M)
        return np.array([*to_grasp[:2], down]), _OPEN

    def _take(self, truth: dict[str, Any], is_brought: bool, holds: bool) -> tuple[Vector, float]:
        """Return the right arm's step in base axes [m], and its gripper entry."""
        to_grasp, to_meeting = truth["grasps"][1], truth["meeting"]
        if holds:
            is_alone = truth["widths"][0] > truth["bar_side"] + 0.005
            return truth["goal"] if is_alone else np.zeros(3), _CLOSE
        if is_brought and float(np.linalg.norm(to_grasp)) < _NEAR_M:
            return to_grasp, _CLOSE
        waits = not is_brought or float(np.linalg.norm(to_meeting)) > _MET_M
        if waits:  # beyond the end of the bar as it will be at the meeting
            return to_grasp + to_meeting + np.array([_WAIT_M, 0.0, 0.0]), _OPEN
        return to_grasp, _OPEN

    def _action(self, step: Vector, gripper: float, quat: Vector) -> Vector:
        tool = quat_rotate(quat_inverse(quat), step) / self._scale.metres
        action: Vector = np.clip([*tool, 0.0, 0.0, 0.0, gripper], -1.0, 1.0)
        return action

"""Scripted expert for the plug: over it, down, close, up, across and turned to the socket, down, push."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.experts.expert import ActionScale

_OPEN, _CLOSE = 1.0, -1.0
_GRASP_STEPS = 3
_NEAR_M = 0.005  # distance from the grasp at which the gripper closes
_ASIDE_M = 0.006  # distance across at which the open gripper goes down
_ABOVE_M = 0.05  # height over the plug at which the open gripper moves across
_HOVER_M = 0.003  # height of the tip over the socket at which it is aligned
_NEAR_SOCKET_M = 0.01  # distance across at which the plug goes down to that height
_ALIGNED_M, _ALIGNED_RAD = 0.0012, 0.03
_RIM_M = 0.0015  # height of the tip below which it stands on the rim, and slides
_DOWN, _SLIDE = 0.5, 0.2  # share of a full step: into the socket, and to press on the rim
_HALF_TURN = np.array([1.0, -1.0, -1.0])  # plug axes to tool axes, and back


class PlugInsertExpert:
    """Expert that commands steps of the tool in its own frame, and the gripper."""

    def __init__(self, scale: ActionScale) -> None:
        self._scale = scale
        self._closed = 0

    def reset(self, info: dict[str, Any]) -> None:
        """Start an episode with the gripper open and empty."""
        self._closed = 0

    def act(self, observation: dict[str, NDArray[Any]], info: dict[str, Any]) -> NDArray[np.float32]:
        """Return a step of the tool and the gripper entry. Shape (7,)."""
        truth = info["truth"]
        plug = truth["plug"]
        holds = truth["gripper_width"] < truth["grip_side"] + 0.003 and float(np.linalg.norm(plug[:3])) < 0.015
        self._closed = self._closed + 1 if holds else 0
        if not holds:
            return self._fetch(plug)
        if self._closed < _GRASP_STEPS:
            return self._action(np.zeros(3), np.zeros(3), _CLOSE)
        return self._insert(truth["socket"], truth["lift"])

    def _fetch(self, plug: NDArray[np.float64]) -> NDArray[np.float32]:
        if float(np.linalg.norm(plug[:3])) < _NEAR_M:
            return self._action(np.zeros(3), np.zeros(3), _CLOSE)
        over = float(np.abs(plug[:2]).max()) < _ASIDE_M
        down = plug[2] if over else plug[2] - _ABOVE_M
        return self._action(np.array([plug[0], plug[1], down]), plug[3:], _OPEN)

    def _insert(self, socket: NDArray[np.float64], lift: float) -> NDArray[np.float32]:
        """Return the step of a held plug; ``socket`` is in the plug's frame, whose z points up."""
        way, turn = socket[:3] * _HALF_TURN, socket[3:] * _HALF_TURN
        height = way[2]  # of the tip over the mouth, as the tool's z points down
        aside = float(np.abs(way[:2]).max())
        aligned = aside < _ALIGNED_M and float(np.abs(turn).max()) < _ALIGNED_RAD
        if height < -_HOVER_M / 2 and aside < 1.5 * _ALIGNED_M:  # in the socket
            return self._action(np.array([way[0], way[1], self._scale.metres]), turn, _CLOSE)
        if aside > _NEAR_SOCKET_M:
            across = way[:2] if height > 0.7 * lift else np.zeros(2)
            return self._action(np.array([*across, height - lift]), turn, _CLOSE)
        down = height - _HOVER_M
        if aligned and height < 2 * _HOVER_M:
            down = _DOWN * self._scale.metres
        elif height < _RIM_M:
            down = _SLIDE * self._scale.metres
        return self._action(np.array([way[0], way[1], down]), turn, _CLOSE)

    def _action(self, step: NDArray[np.float64], turn: NDArray[np.float64], gripper: float) -> NDArray[np.float32]:
        moved = [*step / self._scale.metres, *turn / self._scale.radians, gripper]
        action: NDArray[np.float32] = np.clip(moved, -1.0, 1.0).astype(np.float32)
        return action

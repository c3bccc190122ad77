"""Scripted expert for wiping: over the line's first mark, down until the pad touches, along the line by the force."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.experts.expert import ActionScale

_HOVER_M = 0.012
_OVER_M = 0.006  # distance from the mark at which the pad goes down
_SLOW = 0.15  # share of a full step with which the pad approaches the board
_SLIDE = 0.5  # share of a full step along the line
_TOUCH_N = 2.0
_NEWTONS = 20.0  # force of a full step into the board: the robot's stiffness times its reference limit
_FEEDBACK = 0.5  # share of the force's error that a step corrects


class WipeExpert:
    """Expert that presses with a force in the middle of the window, and returns to marks that it has missed."""

    def __init__(self, scale: ActionScale) -> None:
        self._scale = scale
        self._down = False

    def reset(self, info: dict[str, Any]) -> None:
        """Start an episode above the board."""
        self._down = False

    def act(self, observation: dict[str, NDArray[Any]], info: dict[str, Any]) -> NDArray[np.float32]:
        """Return one step of the tool, in its own frame. Shape (6,)."""
        truth = info["truth"]
        mark = truth["first"]
        aside = float(np.linalg.norm(mark[:2]))
        touches = truth["force"] > _TOUCH_N and abs(mark[2]) < _HOVER_M
        self._down = touches or (self._down and mark[2] < _HOVER_M) or (aside < _OVER_M and mark[2] < 2 * _HOVER_M)
        action = np.zeros(6)
        action[:2] = mark[:2] / self._scale.metres
        action[2] = (mark[2] - _HOVER_M) / self._scale.metres
        if self._down:
            action[:2] *= _SLIDE / max(_SLIDE, float(np.abs(action[:2]).max()))
            middle = sum(truth["window"]) / 2
            pressed = (middle + _FEEDBACK * (middle - truth["force"])) / _NEWTONS
            action[2] = pressed if touches else _SLOW
        return np.clip(action, -1.0, 1.0).astype(np.float32)

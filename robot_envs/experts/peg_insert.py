"""Scripted expert for peg insertion: go to the estimate of the hole, touch, slide to the hole, push."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.experts.expert import ActionScale

_HOVER_M = 0.004
_CAPTURE_M = 0.0006
_TOUCH_N = 4.0
# Share of the reference limit. At 0.85 the peg slides only if the lateral force exceeds friction.
_PRESS = 0.85
_SLIDE = 0.55
_TOUCH_HEIGHT_M = 0.004


class PegInsertExpert:
    """Expert that approaches the wrong estimate on purpose, so that its demonstrations contain the search."""

    def __init__(self, scale: ActionScale) -> None:
        self._scale = scale
        self._touched = False

    def reset(self, info: dict[str, Any]) -> None:
        """Start an episode with a new hole that has not been touched."""
        self._touched = False

    def act(self, observation: dict[str, NDArray[Any]], info: dict[str, Any]) -> NDArray[np.float32]:
        """Return one step of the tool, in its own frame. Shape (6,)."""
        hole, estimate = info["truth"]["hole"], info["truth"]["estimate"]
        force = -float(observation["wrench"][2])
        near = abs(hole[2]) < _TOUCH_HEIGHT_M
        self._touched = self._touched or (near and force > _TOUCH_N)
        goal = hole if self._touched or hole[2] < -_TOUCH_HEIGHT_M else estimate
        action = np.zeros(6)
        action[:2] = self._aside(goal[:2])
        action[3:] = goal[3:] / self._scale.radians
        action[2] = self._push(goal, hole)
        return np.clip(action, -1.0, 1.0).astype(np.float32)

    def _aside(self, error: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the step across the tool's axis. On the rim it has to overcome friction, even close to the hole."""
        distance = float(np.linalg.norm(error))
        step = error / self._scale.metres
        if not self._touched or float(np.abs(error).max()) < _CAPTURE_M:
            return step
        return step * max(1.0, _SLIDE / (distance / self._scale.metres))

    def _push(self, goal: NDArray[np.float64], hole: NDArray[np.float64]) -> float:
        """Return the step along the tool's axis. The tool's z points at the hole, so a positive step goes down."""
        aside = float(np.abs(goal[:2]).max())
        turned = float(np.abs(goal[3:]).max())
        if self._touched:
            # Press lightly while sliding, and firmly over the hole.
            return 1.0 if aside < _CAPTURE_M else _PRESS
        if aside > 0.002 or turned > 0.03:
            return float(np.clip((hole[2] - _HOVER_M) / self._scale.metres, -1.0, 1.0))
        return 0.3 if hole[2] > -_TOUCH_HEIGHT_M else 1.0

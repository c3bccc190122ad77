"""Scripted expert for reaching: straight to the goal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.experts.expert import ActionScale


class ReachExpert:
    """Expert that takes proportional steps towards the goal."""

    def __init__(self, scale: ActionScale) -> None:
        self._scale = scale

    def reset(self, info: dict[str, Any]) -> None:
        """Do nothing: the expert has no state."""

    def act(self, observation: dict[str, NDArray[Any]], info: dict[str, Any]) -> NDArray[np.float32]:
        """Return one step of the tool, in its own frame. Shape (6,)."""
        action = np.zeros(6, np.float32)
        action[:3] = np.clip(info["truth"]["goal"] / self._scale.metres, -1.0, 1.0)
        return action

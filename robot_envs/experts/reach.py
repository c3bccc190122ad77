"""How a person reaches: straight there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.experts.expert import ActionScale


class ReachExpert:
    """Proportional steps towards the goal."""

    def __init__(self, scale: ActionScale) -> None:
        self._scale = scale

    def reset(self, info: dict[str, Any]) -> None:
        """Nothing to remember."""

    def act(self, observation: dict[str, NDArray[Any]], info: dict[str, Any]) -> NDArray[np.float32]:
        """One step of the tool, in its own frame. Shape (6,)."""
        action = np.zeros(6, np.float32)
        action[:3] = np.clip(info["truth"]["goal"] / self._scale.metres, -1.0, 1.0)
        return action

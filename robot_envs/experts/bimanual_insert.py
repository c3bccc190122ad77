"""Scripted expert of both arms for the insertion into a held socket: the left one holds, the right one searches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.experts.expert import ActionScale
from steadyhand.robot_envs.experts.peg_insert import PegInsertExpert

_STIFF = 3.0  # the left arm's step, in units of its way back: it holds against the peg
_AXES = 6


class BimanualInsertExpert:
    """Expert whose right arm acts as with a fixed hole, while the left arm returns to its place."""

    def __init__(self, scale: ActionScale) -> None:
        self._scale = scale
        self._insert = PegInsertExpert(scale)

    def reset(self, info: dict[str, Any]) -> None:
        """Start an episode with a socket that has not been touched."""
        self._insert.reset(info)

    def act(self, observation: dict[str, NDArray[Any]], info: dict[str, Any]) -> NDArray[np.float32]:
        """Return a step of each tool, in its own frame. Shape (12,)."""
        scale = np.repeat([self._scale.metres, self._scale.radians], 3)
        left = np.clip(_STIFF * info["truth"]["hold"] / scale, -1.0, 1.0)
        right = self._insert.act({"wrench": observation["wrench"][_AXES:]}, info)
        return np.concatenate([left, right]).astype(np.float32)

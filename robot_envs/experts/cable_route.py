"""Scripted expert for laying a cable: across at a height at which it clears the clip, then down beyond the clip."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.experts.expert import ActionScale

_TAUT = 0.975  # share of the cable's length at which the tool keeps it
_ALIGNED_M = 0.001  # of the cable from the middle of the slot
_CLEAR_M = 0.012  # of the cable above the posts while it moves across
_LOW_M = 0.012  # height of the tool in the end


class CableRouteExpert:
    """Expert that keeps the cable taut, so that it follows the tool."""

    def __init__(self, scale: ActionScale) -> None:
        self._scale = scale

    def reset(self, info: dict[str, Any]) -> None:
        """Do nothing: the expert has no state."""

    def act(self, observation: dict[str, NDArray[Any]], info: dict[str, Any]) -> NDArray[np.float32]:
        """Return one step of the tool, in its own frame. Shape (6,)."""
        truth = info["truth"]
        fixed, cable = truth["fixed"], truth["cable"]
        way = (truth["top"] - fixed)[:2]
        ahead = way / np.linalg.norm(way)
        reach = _TAUT * truth["cable_length"]
        # The tool beyond the clip, at the distance of a taut cable from the fixed end.
        rise = -float(fixed[2])
        across = fixed[:2] + ahead * np.sqrt(max(reach**2 - rise**2, 0.0))
        above = float(cable[2]) - truth["post_height"]
        aligned = abs(float(cable[1])) < _ALIGNED_M
        low = _LOW_M - truth["height"]
        if aligned or (above < 0.0 and abs(float(cable[1])) < 5 * _ALIGNED_M):
            lift = low
        elif above < _CLEAR_M / 2:
            lift, across = self._scale.metres, np.zeros(2)  # first over the posts
        else:
            lift = max(low, _CLEAR_M - above)
        # The tool frame is turned by half a turn about the base's x axis: y and z change sign.
        step = np.array([across[0], -across[1], -lift]) / self._scale.metres
        action: NDArray[np.float32] = np.clip([*step, 0.0, 0.0, 0.0], -1.0, 1.0).astype(np.float32)
        return action

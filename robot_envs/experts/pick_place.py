"""Scripted expert for pick and place: over the cube, down, close, up, across, open."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.experts.expert import ActionScale

_OPEN, _CLOSE = 1.0, -1.0
_OVER_M = 0.010
_GRASP_STEPS = 3


class PickPlaceExpert:
    """Expert that commands steps of the tool in its own frame, and the gripper."""

    def __init__(self, scale: ActionScale) -> None:
        self._scale = scale
        self._closed = 0

    def reset(self, info: dict[str, Any]) -> None:
        """Start an episode with the gripper open and empty."""
        self._closed = 0

    def act(self, observation: dict[str, NDArray[Any]], info: dict[str, Any]) -> NDArray[np.float32]:
        """Return a step of the tool, which points down, and the gripper entry. Shape (7,)."""
        truth = info["truth"]
        cube, bin_ = truth["cube"], truth["bin"]
        holding = truth["gripper_width"] < truth["cube_side"] + 0.003 and float(np.linalg.norm(cube)) < 0.02
        if not holding:
            return self._fetch(cube)
        self._closed += 1
        if self._closed < _GRASP_STEPS:
            return self._action(np.zeros(3), _CLOSE)
        over_bin = float(np.abs(bin_[:2]).max()) < _OVER_M
        rise = truth["lift"] - truth["height"]
        if over_bin:
            return self._action(np.zeros(3), _OPEN)
        across = bin_[:2] if rise < 0.015 else np.zeros(2)
        return self._action(np.array([*across, rise]), _CLOSE)

    def _fetch(self, cube: NDArray[np.float64]) -> NDArray[np.float32]:
        self._closed = 0
        near = float(np.linalg.norm(cube)) < 0.006
        if near:
            return self._action(np.zeros(3), _CLOSE)
        aside = float(np.abs(cube[:2]).max())
        down = cube[2] if aside < 0.008 else min(0.0, cube[2] + 0.06)
        return self._action(np.array([cube[0], cube[1], down]), _OPEN)

    def _action(self, step: NDArray[np.float64], gripper: float) -> NDArray[np.float32]:
        # The tool frame is turned by half a turn about the base's x axis: y and z change sign.
        tool = step * np.array([1.0, -1.0, -1.0]) / self._scale.metres
        action: NDArray[np.float32] = np.clip([*tool, 0.0, 0.0, 0.0, gripper], -1.0, 1.0).astype(np.float32)
        return action

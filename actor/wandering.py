"""A scripted demonstrator that leaves its task in some episodes: near failures for a success classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.devices.operator import Operator, Wish

__all__ = ["Wandering"]


class Wandering:
    """Operator that acts as another one does, and in some episodes wanders about from a random step to the success.

    Args:
        operator: The scripted demonstrator.
        share: Share of the episodes in which it wanders, 0..1.
        memory: Correlation of the wandering action from step to step, 0..1.
        steps: Number of steps within which the wandering begins.
        size: Entries of an action.
        seed: Fixes the episodes, the steps and the actions.
    """

    def __init__(self, operator: Operator, share: float, memory: float, steps: int, size: int, seed: int) -> None:
        self._operator, self._share, self._memory, self._within = operator, share, memory, steps
        self._rng, self._size = np.random.default_rng(seed), size
        self._leaves_at, self._step = -1, 0
        self._action = np.zeros(size)

    def reset(self, info: dict[str, Any]) -> None:
        """Start an episode, and draw the step at which it leaves the task."""
        self._operator.reset(info)
        wanders = self._rng.random() < self._share
        self._leaves_at = int(self._rng.integers(self._within)) if wanders else -1
        self._step, self._action = 0, np.zeros(self._size)

    def act(
        self, observation: dict[str, NDArray[Any]], info: dict[str, Any], policy_action: NDArray[np.float32] | None
    ) -> Wish:
        """Return the operator's action, or from the drawn step on a random walk's, (A,) in [-1, 1]."""
        wish = self._operator.act(observation, info, policy_action)
        self._step += 1
        # After the success it stays: a part that is pulled half out would show a negative that no episode reaches.
        if info.get("task_success") or not 0 <= self._leaves_at < self._step:
            return wish
        noise = self._rng.uniform(-1.0, 1.0, self._size)
        self._action = self._memory * self._action + (1.0 - self._memory) * noise
        return np.clip(self._action, -1.0, 1.0).astype(np.float32)

    def may_resume(self, stop_reason: str) -> bool:
        """Return the operator's answer."""
        return self._operator.may_resume(stop_reason)

    def wants_park(self) -> bool:
        """Return the operator's answer."""
        return self._operator.wants_park()

    def close(self) -> None:
        """Close the operator."""
        self._operator.close()

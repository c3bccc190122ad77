"""Conversion of a foreign action space to a vector within [-1, 1]."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from steadyhand.robot_envs.gym_fields import SpaceError
from steadyhand.robot_envs.gym_spaces import FAR

__all__ = ["ActionScaling"]


class ActionScaling:
    """Scaling between [-1, 1] and the bounds of a Box.

    Args:
        space: Action space of the environment.
        bound: Bound of entries that have none, as [-bound, bound]; None = every entry must have bounds.

    Raises:
        SpaceError: The space is not a Box, or not bounded.
    """

    def __init__(self, space: Any, bound: float | None) -> None:
        if not isinstance(space, spaces.Box):
            raise SpaceError(
                f"expected an environment with a bounded Box action, found {_named(space)}; "
                "wrap it in an environment that takes numbers (a policy here gives one number within [-1, 1] an entry)"
            )
        if not np.prod(space.shape, dtype=np.int64):
            raise SpaceError(f"expected an action of at least one number, found shape {space.shape}")
        low, high = space.low.astype(np.float64), space.high.astype(np.float64)
        open_low, open_high = ~(low > -FAR), ~(high < FAR)  # NaN is no bound either
        if bound is None and (open_low.any() or open_high.any()):
            raise SpaceError(
                f"expected an environment with a bounded Box action, found {_named(space)}; give the size of its "
                "largest action with task.action_bound=..., in the environment's units"
            )
        if bound is not None:
            low, high = np.where(open_low, -bound, low), np.where(open_high, bound, high)
        if (low > high).any():
            raise SpaceError(
                f"expected an action whose lower bounds are below its upper ones, found {_named(space)} with "
                f"task.action_bound={bound:g}"
            )
        self._low, self._span, self._dtype = low, high - low, space.dtype
        self.size = int(np.prod(space.shape, dtype=np.int64))
        self.shape = space.shape

    def to_inner(self, action: NDArray[Any]) -> NDArray[Any]:
        """Convert a normalised action (A,) to the environment's units, shape and type; integers are rounded."""
        share = (np.clip(np.asarray(action, np.float64).reshape(self.shape), -1.0, 1.0) + 1.0) / 2.0
        scaled = self._low + share * self._span
        if np.issubdtype(self._dtype, np.integer) or self._dtype == np.bool_:
            scaled = np.rint(scaled)
        return np.asarray(scaled.astype(self._dtype))

    def to_outer(self, action: NDArray[np.float64]) -> NDArray[np.float32]:
        """Normalise an action of the environment. Shape (A,)."""
        span = np.where(self._span > 0.0, self._span, 1.0)
        scaled = (action.reshape(self.shape) - self._low) / span * 2.0 - 1.0
        scaled = np.where(self._span > 0.0, scaled, 0.0)  # an entry with a single possible value
        return np.clip(scaled, -1.0, 1.0).astype(np.float32).ravel()


def _named(space: Any) -> str:
    return " ".join(str(space).split())[:120]

"""The newest observations, as a policy reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ObservationWindow"]


class ObservationWindow:
    """Keeps the newest `obs_horizon` observations of some fields, oldest first.

    Args:
        fields: Tuple (name, shape of one observation, dtype) of each field.
        obs_horizon: H.

    Attributes:
        arrays: Arrays (H, *shape) by name, float32 vectors in SI units and uint8 frames; overwritten by the next one.
    """

    def __init__(self, fields: Iterable[tuple[str, tuple[int, ...], str]], obs_horizon: int) -> None:
        self.arrays: dict[str, NDArray[Any]] = {
            name: np.zeros((obs_horizon, *shape), dtype) for name, shape, dtype in fields
        }

    def begin(self, observation: Mapping[str, NDArray[Any]]) -> None:
        """Start an episode: the first observation also fills the places of those before it."""
        for key, newest in self.arrays.items():
            newest[:] = observation[key]

    def observe(self, observation: Mapping[str, NDArray[Any]]) -> None:
        """Take in one more observation."""
        for key, newest in self.arrays.items():
            newest[:-1] = newest[1:]
            newest[-1] = observation[key]

"""The control loop's interface to a policy, independent of the library that computes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["NO_POLICY", "Runner"]

NO_POLICY = -1  # the `policy_version` of a step without one


class Runner(Protocol):
    """A policy with the observations that it has seen."""

    @property
    def ready(self) -> bool:
        """Return whether there are weights to act with."""

    @property
    def policy_version(self) -> int:
        """Return the version of the weights in use; -1 before the first."""

    def begin(self, observation: Mapping[str, NDArray[Any]]) -> None:
        """Start an episode: the first observation also fills the places of those before it."""

    def observe(self, observation: Mapping[str, NDArray[Any]]) -> None:
        """Take in the observation after a step."""

    def act(self, deterministic: bool) -> NDArray[np.float32]:
        """Return the action (A,) in [-1, 1] for the newest observations."""

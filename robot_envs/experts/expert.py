"""The contract of an expert that stands in for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ActionScale:
    """What an action of 1 means: translation [m] and rotation [rad] of one control step."""

    metres: float
    radians: float


class Expert(Protocol):
    """Shows how the task is done. Anybody can bring one for their own environment."""

    def reset(self, info: dict[str, Any]) -> None:
        """A new episode starts; ``info`` is what the environment's reset returned."""

    def act(self, observation: Any, info: dict[str, Any]) -> NDArray[np.float32]:
        """The action now. Shape of the environment's action, in [-1, 1]; ``info`` is the newest of the episode."""

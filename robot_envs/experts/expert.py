"""The contract of a scripted expert, which acts in the operator's place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ActionScale:
    """Meaning of an action of 1: translation [m] and rotation [rad] of one control step."""

    metres: float
    radians: float


class Expert(Protocol):
    """Scripted expert of one task. A user's own environment can have its own."""

    def reset(self, info: dict[str, Any]) -> None:
        """Start a new episode; ``info`` is the one that the environment's reset returned."""

    def act(self, observation: Any, info: dict[str, Any]) -> NDArray[np.float32]:
        """Return the next action, in the shape of the environment's action, in [-1, 1]; ``info`` is the newest one."""

"""The gripper entry of an action as a wish: towards 1 opens, towards -1 closes, near 0 keeps the commanded opening."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ACTS_FROM", "gripper_wish"]

ACTS_FROM = 0.3  # smallest magnitude of an entry that opens or closes


def gripper_wish(entries: NDArray[Any]) -> NDArray[np.float64]:
    """Return 1 for entries (n,) that open, -1 for entries that close, 0 for entries that keep the commanded opening."""
    return np.where(np.abs(entries) > ACTS_FROM, np.sign(entries), 0.0)

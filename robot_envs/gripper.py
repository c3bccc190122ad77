"""The gripper entry of an action: towards 1 opens, towards -1 closes, near 0 keeps the commanded opening."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ACTS_FROM", "commanded_wish", "gripper_wish"]

ACTS_FROM = 0.3  # smallest magnitude of an entry that opens or closes


def gripper_wish(entries: NDArray[Any]) -> NDArray[np.float64]:
    """Return 1 for entries (n,) that open, -1 for entries that close, 0 for entries that keep the commanded opening."""
    return np.where(np.abs(entries) > ACTS_FROM, np.sign(entries), 0.0)


def commanded_wish(width_m: NDArray[np.float64], open_m: float) -> NDArray[np.float64]:
    """Return the entries (n,) that command the same widths again: 1 open, -1 closed, 0 where neither does.

    Args:
        width_m: Commanded openings. Shape (n,); [m].
        open_m: Opening that an entry of 1 commands [m]; -1 commands 0.
    """
    return np.where(np.isclose(width_m, open_m), 1.0, np.where(np.isclose(width_m, 0.0), -1.0, 0.0))

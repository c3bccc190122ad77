"""The gripper entry of an action, and the entries that command an opening again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steadyhand.runtime.gripper_entry import ACTS_FROM, gripper_wish

__all__ = ["ACTS_FROM", "commanded_wish", "gripper_wish"]


def commanded_wish(width_m: NDArray[np.float64], open_m: float) -> NDArray[np.float64]:
    """Return the entries (n,) that command the same widths again: 1 open, -1 closed, 0 where neither does.

    Args:
        width_m: Commanded openings. Shape (n,); [m].
        open_m: Opening that an entry of 1 commands [m]; -1 commands 0.
    """
    return np.where(np.isclose(width_m, open_m), 1.0, np.where(np.isclose(width_m, 0.0), -1.0, 0.0))

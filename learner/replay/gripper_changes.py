"""Changes of the grippers' wanted state by recorded actions, which a penalty may weigh."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from steadyhand.learner.replay.replay_log import ReplayLog
from steadyhand.runtime.gripper_entry import gripper_wish

__all__ = ["gripper_changes"]


def gripper_changes(
    log: ReplayLog, rows: NDArray[np.int64], reached: NDArray[np.int64], gamma: float, entries: Sequence[int]
) -> NDArray[np.float32]:
    """Count the steps of transitions that command another state of a gripper than the one commanded before.

    A state stays until an action commands the other one. At the start of an episode it is unknown, and the first
    command is no change. The counts follow from the records alone.

    Args:
        log: The log.
        rows: Starts (n,).
        reached: Rows (n,) of the next observations, as `ReplayLog.n_step` returns them.
        gamma: Discount of one step.
        entries: Gripper entries of an action, D of them.

    Returns:
        Discounted counts (n, D).
    """
    total = np.zeros((len(rows), len(entries)))
    if not total.size:
        return total.astype(np.float32)
    columns = list(entries)
    state = _wanted_before(log, rows, columns)
    for step in range(int((reached - rows).max())):
        inside = rows + step < reached
        wish = gripper_wish(log.action(np.where(inside, rows + step, rows))[:, columns]) * inside[:, None]
        total += gamma**step * (wish * state < 0.0)
        state = np.where(wish == 0.0, state, wish)
    return total.astype(np.float32)


def _wanted_before(log: ReplayLog, rows: NDArray[np.int64], columns: list[int]) -> NDArray[np.float64]:
    """Return the wanted states (n, D) before rows (n,): 1 open, -1 closed, 0 unknown."""
    state = np.zeros((len(rows), len(columns)))
    left = np.arange(len(rows))  # places whose state is not known, and whose episode goes back further
    while left.size:
        before = log.history(rows[left], 2)[:, 0]
        goes_back = before < rows[left]
        left, before = left[goes_back], before[goes_back]
        wish = gripper_wish(log.action(before)[:, columns])
        state[left] = np.where(state[left] == 0.0, wish, state[left])
        rows = rows.copy()
        rows[left] = before
        left = left[(state[left] == 0.0).any(axis=1)]
    return state

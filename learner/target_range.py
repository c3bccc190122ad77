"""Check of rewards against the range that TD targets are clipped to: a range that they do not fit prevents learning."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steadyhand.learner.algos.algorithm import AlgorithmSettings
from steadyhand.learner.replay.store import ReplayStore

__all__ = ["RewardSteps", "fits_rewards", "reward_steps", "same_meaning"]

TOLERANCE = 1e-3  # of the range
SPARSE = 2  # largest number of distinct rewards: a step counts or it does not


@dataclass(frozen=True)
class RewardSteps:
    """Steps of a store in the order of their logs.

    Attributes:
        reward: Reward of each step. Shape (n,).
        discount: Gamma, and 0 where the step ended the task. Shape (n,).
        follows: Whether the next step here is the next one of the same episode. Shape (n,).
    """

    reward: NDArray[np.float64]
    discount: NDArray[np.float64]
    follows: NDArray[np.bool_]

    @property
    def sparse_values(self) -> tuple[float, ...]:
        """Return the distinct rewards, ascending, if they are few enough for a sparse reward; else ()."""
        values = np.unique(self.reward)
        return tuple(values.tolist()) if len(values) <= SPARSE else ()


def reward_steps(store: ReplayStore, ids: NDArray[np.int64], gamma: float) -> RewardSteps:
    """Read the rewards of starts (n,) from a store, log by log, with the labels applied."""
    ids = np.sort(ids)
    reward, discount, follows = np.zeros(len(ids)), np.zeros(len(ids)), np.zeros(len(ids), np.bool_)
    for log, places, rows in store.by_log(ids):
        _, reward[places], discount[places] = log.n_step(rows, 1, gamma)
        after = np.zeros(len(rows), np.bool_)
        after[:-1] = (np.diff(rows) == 1) & (np.diff(log.episode_id(rows)) == 0)
        follows[places] = after
    return RewardSteps(reward, discount, follows)


def fits_rewards(settings: AlgorithmSettings, steps: RewardSteps) -> str:
    """Return the reason why the algorithm would flatten the targets of these steps, in one line; "" if it would not."""
    for name, bounds in settings.target_ranges.items():
        if len(steps.reward) and _is_flattened(steps, *bounds):
            low, high = float(steps.reward.min()), float(steps.reward.max())
            off = ", or switch it off with algo.target_clip=null" if name == "algo.target_clip" else ""
            return (
                f"{name}=[{bounds[0]:g},{bounds[1]:g}]: expected the range of returns that the rewards, from "
                f"{low:g} to {high:g}, can reach, found one that makes different targets equal; "
                f"give {name}=[{_reachable(steps, settings.sampling.gamma)}]{off}"
            )
    return ""


def same_meaning(one: RewardSteps, other: RewardSteps) -> bool:
    """Return whether two sparse rewards can have the same meaning: the values of one are among those of the other.

    Rewards with many values are not compared.
    """
    a, b = set(one.sparse_values), set(other.sparse_values)
    return not a or not b or a <= b or b <= a


def _is_flattened(steps: RewardSteps, low: float, high: float) -> bool:
    slack = TOLERANCE * (high - low)
    # Targets that are outside the range for every value of the critics.
    best, worst = steps.reward + steps.discount * high, steps.reward + steps.discount * low
    if ((best < low - slack) | (worst > high + slack)).any():
        return True
    free, clipped, before = _returns(steps, low, high)
    cut = (before > high + slack) | (before < low - slack)
    if cut.any() and np.ptp(steps.reward[cut]) > slack:
        return True  # the rewards differ, and the targets do not
    return bool(np.ptp(clipped) <= slack < np.ptp(free))


def _returns(
    steps: RewardSteps, low: float, high: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the returns of the steps (n,): recorded, from clipped targets, and the latter before the last clip.

    After a time-out the return is unknown, and nothing is added.
    """
    free, clipped, before = (np.zeros(len(steps.reward)) for _ in range(3))
    for i in range(len(steps.reward) - 1, -1, -1):
        go_on = bool(steps.follows[i])
        free[i] = steps.reward[i] + (steps.discount[i] * free[i + 1] if go_on else 0.0)
        before[i] = steps.reward[i] + (steps.discount[i] * clipped[i + 1] if go_on else 0.0)
        clipped[i] = min(max(before[i], low), high)
    return free, clipped, before


def _reachable(steps: RewardSteps, gamma: float) -> str:
    """Return the range of returns that these rewards allow, rounded outwards."""
    goes_on = steps.discount > 0.0
    last = steps.reward[~goes_on]
    ends = [0.0, *(last.min(), last.max())] if len(last) else [0.0]
    if goes_on.any():
        worth = 1.0 / max(1.0 - gamma, 1e-6)
        ends += [float(steps.reward[goes_on].min()) * worth, float(steps.reward[goes_on].max()) * worth]
    low, high = math.floor(min(ends) * 10.0 + 1e-6) / 10.0, math.ceil(max(ends) * 10.0 - 1e-6) / 10.0
    return f"{low:g},{high:g}"

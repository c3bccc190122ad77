"""Outcomes of practice: unassisted success of the first and of the newest episodes that training has seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steadyhand.learner.replay.store import ReplayStore

__all__ = ["OutcomeWatch", "Outcomes"]

ROWS = 10_000  # newest, or first, starts in which episodes are looked for
GAIN = 1.5  # standard deviations of the difference of two equal rates, above which it is more than chance


@dataclass(frozen=True)
class Outcomes:
    """Unassisted success rates of practice; an episode with help counts as a failure.

    Attributes:
        first: Of the first episodes of the run.
        newest: Of the newest ones.
        episodes: Number of episodes of the newest rate.
        ended: Number of episodes that have ended.
        lasting: Of as many of the newest ones as the first rate has.
        lasting_episodes: Number of episodes of the lasting rate.
    """

    first: float
    newest: float
    episodes: int
    ended: int
    lasting: float
    lasting_episodes: int

    @property
    def is_loss(self) -> bool:
        """True if the newest rate is lower than the first one by more than a standard deviation of its own."""
        return self.newest < self.first - math.sqrt(self._variance / max(1, self.episodes))

    @property
    def is_gain(self) -> bool:
        """True if the lasting rate is higher than the first one by more than chance explains, or is 1."""
        spread = math.sqrt(2.0 * self._variance / max(1, self.lasting_episodes))
        return self.lasting >= min(1.0, self.first + GAIN * spread)

    @property
    def _variance(self) -> float:
        return self.first * (1.0 - self.first)


class OutcomeWatch:
    """Reads outcomes from the visible part of a store, so that a resumed learner reads the same ones.

    Args:
        first: Number of episodes of the first rate, and of the lasting one.
        newest: Number of episodes of the newest rate.
    """

    def __init__(self, first: int, newest: int) -> None:
        self._first_window, self._window = first, newest
        self._first: float | None = None

    def look(self, store: ReplayStore) -> Outcomes:
        """Return the present outcomes; all rates are 0 before an episode has ended."""
        ids = store.online
        lasting = _alone(store, ids[-ROWS:], whole=len(ids) <= ROWS)[-max(self._first_window, self._window) :]
        newest, lasting = lasting[-self._window :], lasting[-self._first_window :]
        count, first = _ended(store, ids), self._first
        if first is None:
            known = _alone(store, ids[:ROWS], whole=True)[: self._first_window]
            first = _mean(known)
            if len(known) == self._first_window:
                self._first = first
        return Outcomes(first, _mean(newest), len(newest), count, _mean(lasting), len(lasting))


def _mean(outcomes: NDArray[np.bool_]) -> float:
    return float(np.mean(outcomes)) if len(outcomes) else 0.0


def _ended(store: ReplayStore, ids: NDArray[np.int64]) -> int:
    """Return how many episodes have ended: the number of the newest one of each log, since the first one is 0."""
    return sum(int(log.episode_id(rows[-1:])[0]) for log, _, rows in store.by_log(ids))


def _alone(store: ReplayStore, ids: NDArray[np.int64], whole: bool) -> NDArray[np.bool_]:
    """Return whether each ended episode of the starts succeeded without help, in the order of their last starts.

    The newest episode of a log counts once the next one has begun. Without `whole`, the first one of each log may lack
    its beginning and is left out.
    """
    ends, alone = [], []
    for log, places, rows in store.by_log(ids):
        episodes, number = np.unique(log.episode_id(rows), return_inverse=True)
        success, human = np.zeros(len(episodes), np.bool_), np.zeros(len(episodes), np.bool_)
        np.logical_or.at(success, number, log.gather(rows, "success"))
        np.logical_or.at(human, number, log.gather(rows, "has_human"))
        last = np.zeros(len(episodes), np.int64)
        np.maximum.at(last, number, np.arange(len(ids))[places])
        kept = slice(0 if whole else 1, -1)
        ends.append(last[kept])
        alone.append((success & ~human)[kept])
    if not ends:
        return np.zeros(0, np.bool_)
    return np.concatenate(alone)[np.argsort(np.concatenate(ends), kind="stable")]

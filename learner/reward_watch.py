"""Watch on online rewards: they must fit the range of the targets and the kind of the demonstrations' rewards."""

from __future__ import annotations

import numpy as np

from steadyhand.learner.algos.algorithm import AlgorithmSettings
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.learner.target_range import fits_rewards, reward_steps, same_meaning
from steadyhand.runtime.logging import get_logger

__all__ = ["RewardWatch"]

NEWEST = 5_000  # newest steps that are checked
GROWTH = 1.25  # growth of the online data before the next check

logger = get_logger("learner.reward_watch")


class RewardWatch:
    """Reports each fault of the rewards once. It never stops the learner: a single odd record must not end a run.

    Args:
        settings: Settings of the algorithm.
    """

    def __init__(self, settings: AlgorithmSettings) -> None:
        self._settings = settings
        self._next = 1
        self._told: set[str] = set()

    def look(self, store: ReplayStore) -> None:
        """Check the rewards that can be sampled now."""
        online = store.online
        if len(online) < self._next or len(self._told) == 2:
            return
        self._next = int(len(online) * GROWTH) + 1
        practised = reward_steps(store, online[-NEWEST:], self._settings.sampling.gamma)
        if line := fits_rewards(self._settings, practised):
            self._tell("range", f"practice teaches little: {line}")
        shown = np.setdiff1d(store.demo, online)[:NEWEST]
        demonstrated = reward_steps(store, shown, self._settings.sampling.gamma)
        if len(shown) and not same_meaning(practised, demonstrated):
            values = [" and ".join(f"{v:g}" for v in steps.sparse_values) for steps in (demonstrated, practised)]
            self._tell(
                "meaning",
                f"rewards of practice: expected {values[0]} as in the demonstrations, found {values[1]}; "
                "start actor and learner with the task's settings of the demonstrations",
            )

    def _tell(self, about: str, line: str) -> None:
        if about not in self._told:
            self._told.add(about)
            logger.error("%s", line)

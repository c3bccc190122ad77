"""The scalars of training: one row each log period, and the watches that look at the run whenever a row is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from steadyhand.learner.admission import Admission
from steadyhand.learner.algos.algorithm import Algorithm
from steadyhand.learner.episodes import Episodes
from steadyhand.learner.label_watch import LabelWatch
from steadyhand.learner.limiter import true_utd
from steadyhand.learner.loop_parts import Links
from steadyhand.learner.metrics import Metrics
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.learner.resume import Counters
from steadyhand.learner.reward_watch import RewardWatch
from steadyhand.learner.success_watch import SuccessWatch
from steadyhand.runtime.clock import Clock
from steadyhand.runtime.logging import get_logger

__all__ = ["TrainingDivergedError", "TrainingScalars"]

logger = get_logger("learner.train_loop")


class TrainingDivergedError(RuntimeError):
    """Losses that have not been finite for too many steps."""


class TrainingScalars:
    """Writes the rows, and ends training that has diverged.

    Args:
        metrics: Takes the rows.
        algo: Counts the steps that it skips.
        store: The data of training.
        links: Gives the logs.
        admission: Counts the weights that it refuses.
        episodes: The newest episodes of the run.
        clock: Measures updates per second.
        step: Gradient steps so far.
    """

    def __init__(
        self,
        metrics: Metrics,
        algo: Algorithm[Any],
        store: ReplayStore,
        links: Links,
        admission: Admission,
        episodes: Episodes,
        clock: Clock,
        step: int,
    ) -> None:
        self._metrics, self._algo, self._store, self._links = metrics, algo, store, links
        self._admission, self._clock = admission, clock
        self._rewards = RewardWatch(algo.settings)
        self._success, self._labels = SuccessWatch(), LabelWatch()
        self._logged = (step, algo.skipped(), clock.now_ns())
        self.episodes = episodes
        self.newest: Mapping[str, float] = {}  # the newest row

    def log(self, counters: Counters, metrics: Mapping[str, Tensor]) -> None:
        """Write the row of the present step.

        Args:
            counters: The progress of training.
            metrics: The algorithm's own scalars.

        Raises:
            TrainingDivergedError: Every step since the last row was skipped.
        """
        step, skipped, now_ns = counters.step, self._algo.skipped(), self._clock.now_ns()
        last_step, last_skipped, last_ns = self._logged
        self._logged = (step, skipped, now_ns)
        self._rewards.look(self._store)
        transitions, updates = self._store.transitions, counters.updates
        self.episodes.refresh(one for one in self._links.readers() if not self._store.is_prior(one.session_id))
        self._success.look(self.episodes)
        self._labels.look(one for one in self._links.readers() if not self._store.is_prior(one.session_id))
        self.newest = (
            {name: float(value) for name, value in metrics.items()}
            | self.episodes.scalars()
            | {
                "online_updates": updates,
                "transitions": transitions,
                "true_utd": true_utd(transitions, updates),
                "updates_per_s": (step - last_step) / max((now_ns - last_ns) / 1e9, 1e-9),
                "policy_version": counters.policy_version,
                "skipped_steps": skipped,
                "refused_weights": self._admission.refused,
                "online_starts": len(self._store.online),
                "demo_starts": len(self._store.demo),
                "earlier_starts": len(self._store.earlier),
                "prior_starts": len(self._store.prior),
                "quarantined": self._store.quarantined,
            }
        )
        self._metrics.write(step, self.newest)
        if skipped > last_skipped:
            logger.warning("%d optimiser steps skipped: a loss or gradient was not finite", skipped - last_skipped)
        if skipped - last_skipped >= step - last_step:
            raise TrainingDivergedError(
                f"expected finite losses, found none in {step - last_step} steps; "
                "check the data, or lower critic_lr and start from the last checkpoint"
            )

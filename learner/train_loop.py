"""The training loop: the work at each block of gradient steps, and the periodic work between blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Literal

import numpy as np
import safetensors.numpy
import safetensors.torch
from torch import Tensor

from steadyhand.learner.admission import Admission
from steadyhand.learner.algos.algorithm import Algorithm
from steadyhand.learner.checkpoint import CheckpointError
from steadyhand.learner.config import LearnerConfig
from steadyhand.learner.device_queue import DeviceQueue
from steadyhand.learner.episodes import Episodes
from steadyhand.learner.journal import JournalError
from steadyhand.learner.limiter import UpdateLimiter, true_utd
from steadyhand.learner.loop_parts import Links, Replay, Results
from steadyhand.learner.outcomes import Outcomes, OutcomeWatch
from steadyhand.learner.replay.prefetcher import Prefetcher
from steadyhand.learner.replay.store import Watermark
from steadyhand.learner.resume import REPLAY_FILE, STATE_FILE, Counters, Kind
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.learner.status import LearnerStatus
from steadyhand.learner.steps import Steps
from steadyhand.learner.training_scalars import TrainingScalars
from steadyhand.runtime.clock import Clock
from steadyhand.runtime.crashpoint import crashpoint
from steadyhand.runtime.logging import get_logger

__all__ = ["Phase", "TrainLoop"]

OUTCOME_PERIOD = 100  # gradient steps
FIRST_EPISODES, NEWEST_EPISODES = 20, 10  # whose success is compared
Phase = Literal["waiting", "pretraining", "online", "finished"]

logger = get_logger("learner.train_loop")


class TrainLoop:
    """Makes blocks of gradient steps when they are due, and publishes, logs and saves between them.

    Args:
        config: Pace and periods.
        algo: The algorithm, trained in place.
        replay: The data.
        results: Metrics and checkpoints.
        links: Logs, publishing and the disk.
        counters: The progress of training.
        clock: Measures updates per second.
        steps: Makes the algorithm's gradient steps; None = the algorithm itself.
    """

    def __init__(
        self,
        config: LearnerConfig,
        algo: Algorithm[Any],
        replay: Replay,
        results: Results,
        links: Links,
        counters: Counters,
        clock: Clock,
        steps: Steps | None = None,
    ) -> None:
        self.counters = counters
        self._steps = steps or algo
        self._config, self._algo = config, algo
        self._prefetches = algo.device.type == "cuda" if config.prefetch is None else config.prefetch
        self._prefetcher = Prefetcher(replay.sampler, algo.device, self._prefetches)
        self._queue = DeviceQueue(algo.device)
        self._asked: Kind | None = None  # kind of the block that has been drawn ahead
        self._is_whole = True  # the visible records, the journal and the trained state belong together
        self._store, self._journal = replay.store, replay.journal
        self._results, self._links = results, links
        self._block = algo.sampling.slices
        self._admission = Admission(algo)
        self._outcome_watch = OutcomeWatch(FIRST_EPISODES, NEWEST_EPISODES)
        self._outcomes: Outcomes | None = None  # that the block which was asked for is to heed
        self._limiter = UpdateLimiter(config.utd_ratio, config.slack, self._block, config.start_transitions)
        self._saved_step = counters.step
        self._stalled = False
        episodes = Episodes(config.episode_window)
        self._scalars = TrainingScalars(
            results.metrics, algo, replay.store, links, self._admission, episodes, clock, counters.step
        )
        self._store.refresh(links.readers())
        for news in replay.journal.seen:
            if not self._store.holds(news):
                raise JournalError("journal: the logs lack records that training has seen; restore them or start anew")
            self._store.advance(news)
        if counters.policy_version:
            self._send()

    @property
    def phase(self) -> Phase:
        """Phase of training at the next step."""
        return self._phase(self.counters)

    def _phase(self, counters: Counters) -> Phase:
        if counters.updates >= self._config.max_updates:
            return "finished"
        if self._pretrains(counters, self._store.demo_starts + self._store.prior_starts):
            return "pretraining"
        started = counters.step > 0 or self._store.transitions >= self._config.start_transitions
        return "online" if started else "waiting"

    def _pretrains(self, counters: Counters, starts: int) -> bool:
        unfinished = counters.pretrained < self._config.pretrain_updates
        return unfinished and counters.updates == 0 and starts > 0

    def status(self) -> LearnerStatus:
        """Return the status of training; any thread may ask."""
        counters, transitions = self.counters, self._store.transitions
        return LearnerStatus(
            phase=self.phase,
            steps=counters.step,
            updates=counters.updates,
            transitions=transitions,
            demo_starts=self._store.demo_starts,
            prior_starts=self._store.prior_starts,
            actors=self._store.steps_by_actor(),
            utd_ratio=true_utd(transitions, counters.updates),
            policy_version=counters.policy_version,
            metrics=self._scalars.newest,
            quarantined=self._store.quarantined,
        )

    def steps(self) -> dict[str, int]:
        """Environment transitions of online training by session."""
        return self._store.steps()

    def transitions_allowed(self) -> int:
        """Transitions that a lockstep actor may have made, over all sessions, before it waits; -1 = no limit."""
        return -1 if self.phase == "finished" else self._limiter.transitions_allowed(self.counters.updates)

    def step(self) -> bool:
        """Make one block of gradient steps if it is due; returns whether it was."""
        self._is_whole = False
        kind = self._asked or self._ask(self.counters)
        self._asked = None
        if kind is None:
            self._is_whole = True
            return False
        self._make(kind, ahead=self._prefetches)
        return True

    def _make(self, kind: Kind, ahead: bool) -> None:
        """Make the requested block of this kind, and request the one after the counters `ahead`."""
        self._is_whole = False
        block, before = self._prefetcher.take(), self.counters.step
        if self._outcomes is not None:
            self._algo.heed(self._outcomes)
        after = self.counters.after(kind, self._block)
        # The visible records of a checkpoint must not be ahead of its steps.
        if ahead and not self._is_due(self._config.checkpoint_period, before):
            self._asked = self._ask(after)
        crashpoint("update.before")
        metrics = self._steps.pretrain(block) if kind == "pretrain" else self._steps.update(block)
        self._queue.wait()
        self.counters = after
        self._is_whole = True
        crashpoint("update.after")
        self._between(before, block, metrics)

    def _ask(self, counters: Counters) -> Kind | None:
        """Make the records of the block after `counters` visible, and request its draw; None when it has to wait."""
        watermark = self._due(counters)
        if watermark is None:
            return None
        try:
            news = self._journal.note(counters.step, watermark)
        except OSError as error:
            self._stall(error)
            return None
        self._stalled = False
        self._store.advance(news)
        # Read here, where exactly the block's records are visible: a resumed learner finds the same.
        looks = self._is_due(OUTCOME_PERIOD, counters.step)
        self._outcomes = self._outcome_watch.look(self._store) if looks else None
        # By the visible records, not the loaded ones: a block that is made again must find the same.
        store = self._store
        pretrains = self._pretrains(counters, len(store.demo) + len(store.earlier) + len(store.prior))
        self._prefetcher.ask(counters.step, self._block, offline=pretrains)
        return "pretrain" if pretrains else "update"

    def _stall(self, error: OSError) -> None:
        """Make no block, and log this once: a block that is not in the journal could not be made again."""
        if not self._stalled:
            logger.error("training waits: the journal cannot be written (%s); free disk space", error)
        self._stalled = True

    def _due(self, counters: Counters) -> Watermark | None:
        """Return the watermark for the block after `counters`; None when the block has to wait."""
        for session_id, numbers in self._links.changes():
            self._store.recheck(session_id, numbers)
        newest = self._store.refresh(self._links.readers())
        planned = self._journal.planned(counters.step)
        if planned is not None:
            if self._store.holds(planned):
                return planned
            self._journal.drop_ahead()
        phase = self._phase(counters)
        if phase == "pretraining":
            return newest
        some = self._store.online_starts + self._store.demo_starts + self._store.prior_starts > 0
        due = phase == "online" and self._limiter.may_update(self._store.transitions, counters.updates)
        return newest if some and due else None

    def _between(self, before: int, block: Mapping[str, Any], metrics: Mapping[str, Tensor]) -> None:
        """Publish, log and save if it has become due since step `before`."""
        config = self._config
        ready = self.counters.updates > 0 or self.counters.pretrained >= config.pretrain_updates
        first = self.counters.policy_version == 0
        if ready and (first or self._is_due(config.publish_period, before)) and self._admission.admit(block):
            self.publish()
        if self._is_due(config.log_period, before):
            self._scalars.log(self.counters, metrics)
        if self._is_due(config.checkpoint_period, before):
            self.save()

    def _is_due(self, period: int, before: int) -> bool:
        """Return whether the block that begins at step `before` ends a period of this many steps."""
        return (before + self._block) // period > before // period

    def publish(self) -> None:
        """Publish the policy under the next version, unless it is not finite; the first one is kept in the run."""
        first = self.counters.policy_version == 0
        self.counters = replace(self.counters, policy_version=self.counters.policy_version + 1)
        self._send()
        if first:
            self._save_start()

    def _send(self) -> None:
        tensors = self._algo.policy_tensors()
        if all(np.isfinite(value).all() for value in tensors.values()):
            self._links.publish(self.counters.policy_version, tensors)
        else:
            logger.error("policy version %d is not finite and is not published", self.counters.policy_version)

    def finish(self) -> None:
        """Make the block that has been drawn ahead, if there is one, and save.

        After an interrupted block there is no state to save that a resumed learner could go on from. It goes on from
        the previous checkpoint, and repeats the blocks of the journal.
        """
        if not self._is_whole:
            logger.error("a block of gradient steps was broken off; its run goes on from the checkpoint before")
            return
        kind, self._asked = self._asked, None
        if kind is not None:
            self._make(kind, ahead=False)
        self.save()

    def close(self) -> None:
        """End the prefetching thread."""
        self._prefetcher.close()

    def _save_start(self) -> None:
        """Keep the first policy, so that a report can tell what practice has added to it."""
        start = self._results.start
        try:
            if start.newest() is None:
                start.save(self.counters.step, self._policy().to_files(), {})
        except (OSError, CheckpointError) as error:
            logger.error("the policy before practice is not kept: %s", error)

    def _policy(self) -> SavedPolicy:
        return SavedPolicy(
            self._algo.policy.spec,
            self._results.learner_epoch,
            self.counters.policy_version,
            self._algo.policy_tensors(),
            self._results.facts.get("identity", {}),
        )

    def save(self) -> None:
        """Write a checkpoint. A full disk does not stop training: earlier checkpoints stay, and the next save tries."""
        if self.counters.step == self._saved_step:
            return
        files = {STATE_FILE: safetensors.torch.save(self._algo.state_tensors()), **self._policy().to_files()}
        files[REPLAY_FILE] = safetensors.numpy.save(self._store.save())
        try:
            self._links.sync()
            self._journal.sync()
            facts = {**self._results.facts, "counters": asdict(self.counters), "journal": self._journal.mark()}
            self._results.checkpoints.save(self.counters.step, files, facts)
        except OSError as error:
            logger.error("no checkpoint at step %d: %s; free disk space", self.counters.step, error)
            return
        self._saved_step = self.counters.step

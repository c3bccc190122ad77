"""The learner process: it receives records, trains on them, and sends weights back. It has no environment."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import torch

from steadyhand.learner.algos.algorithm import Algorithm
from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.learner.compiled_steps import CompiledSteps
from steadyhand.learner.cuda_graph import CudaGraphSteps
from steadyhand.learner.device import resolve_device, resolve_matmul, resolve_precision
from steadyhand.learner.learner_settings import Demonstrations, LearnerSettings
from steadyhand.learner.loop_parts import Links, Replay, Results
from steadyhand.learner.malloc import keep_freed_memory
from steadyhand.learner.metrics import Metrics, MetricsSink
from steadyhand.learner.policy_spec import build_policy_spec
from steadyhand.learner.prior import PriorData, check_sessions, compatible_spec, joined, take_weights
from steadyhand.learner.progress import Progress
from steadyhand.learner.replay.feature_worker import FeatureWorker
from steadyhand.learner.replay.features import FeatureCache
from steadyhand.learner.replay.sampler import Sampler
from steadyhand.learner.resume import check_facts, counters_of, next_epoch, open_journal, open_store, restore
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.learner.serving import Serving
from steadyhand.learner.sources import Sources
from steadyhand.learner.status import LearnerStatus
from steadyhand.learner.steps import Steps
from steadyhand.learner.train_loop import TrainLoop
from steadyhand.policies import Policy, PolicySpec, load_backbone
from steadyhand.runtime.clock import Clock, MonotonicClock
from steadyhand.runtime.logging import get_logger
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport.intake import Intake
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.run_identity import Identity
from steadyhand.transport.schema import Schema
from steadyhand.transport.zmq_server import ZmqServer

__all__ = ["Learner"]

EPOCH_FILE, JOURNAL_FILE = "learner_epoch.json", "journal.jsonl"
IDLE_S = 0.02  # longest sleep of an idle learner that no record wakes

logger = get_logger("learner")


class Learner:
    """One learner run: everything between the records that arrive and the weights that leave.

    The schema that an actor must record, and the policy's inputs, come from the demonstrations, from the checkpoint of
    an earlier start, or else from the first actor's HELLO.

    Args:
        settings: Algorithm, policy, pace, link.
        run: Folder of logs, checkpoints and metrics; a run that has a checkpoint is resumed.
        demos: Demo sets to learn from; None = none.
        clock: Monotonic.
        prior: Records and weights of other runs, and the identity of this run.
        sink: Takes the rows of metrics, besides the run's file; None = no sink.

    Raises:
        PriorDataError: Data or weights of another run do not fit this one.
        EncoderError: The weights of the policy's frozen encoder are missing, or are not those of an earlier start.
    """

    def __init__(
        self,
        settings: LearnerSettings,
        run: RunFolder,
        demos: Demonstrations | None = None,
        clock: Clock | None = None,
        prior: PriorData = PriorData(),  # noqa: B008  it is frozen
        sink: MetricsSink | None = None,
    ) -> None:
        config, policy = settings.process, settings.policy
        demos = demos or Demonstrations()
        torch.set_num_threads(config.threads)
        keep_freed_memory()
        self.device = resolve_device(config.device)
        self._precision = resolve_precision(config.convolutions, self.device)
        self._matmul = resolve_matmul(config.matmul_precision, self.device)
        torch.set_float32_matmul_precision(self._matmul)
        logger.info(
            "computing on %s with %d threads, convolutions in %s, matrix products of %s precision",
            self.device, config.threads, self._precision, self._matmul,
        )  # fmt: skip
        self._config, self._algo, self._policy_config = config, settings.algo, policy
        self._run, self._seed, self._clock = run, settings.seed, clock or MonotonicClock()
        self._sink = sink
        self._lock = threading.Lock()
        self._checkpoints = CheckpointFolder(run.checkpoints, config.keep_checkpoints)
        self._checkpoints.clean()
        self._checkpoint = self._checkpoints.newest()
        if self._checkpoint is None and (run.path / JOURNAL_FILE).exists():
            logger.warning("%s: no checkpoint although training had begun; the same updates are made again", run.path)
        self._action_gains = demos.action_gains
        self._sources, self._earlier_share = Sources(demos, prior), prior.earlier.demo_share
        self._start_from = prior.checkpoint
        if self._checkpoint is not None and self._start_from is not None:
            logger.info("%s: it has a checkpoint of its own and goes on from that", run.path)
            self._start_from = None
        identity = joined(prior, self._sources.readers, config.accept_other_robot)
        if self._checkpoint is not None:
            identity = identity.filled(Identity.from_json(self._checkpoint.facts.get("identity", {})))
        self._spec: PolicySpec | None = None
        if self._checkpoint is not None:
            self._spec = SavedPolicy.from_files(self._checkpoint.files).spec
        encoder = policy.encoder if self._spec is None else self._spec.encoder
        self._backbone = load_backbone(encoder, policy.encoder_weights)
        required = self._required_schema()
        self._progress = Progress()
        self.intake = Intake(
            run.log,
            settings.transport,
            lambda schema: self._spec_of(schema).to_json(),
            lambda session_id: self._progress.status(session_id),
            required,
            clock=self._clock,
            identity=identity,
            accept_other_robot=config.accept_other_robot,
        )
        check_sessions(self._sources.readers, self.intake.readers())
        for reader in self._sources.readers:
            self.intake.require(reader.schema)
        # A start that was refused until here is not counted.
        self.learner_epoch = self.intake.learner_epoch = next_epoch(run.path / EPOCH_FILE)
        self._serving = Serving(self.intake, self._clock, self._log_folders, self._report_damage)
        self._news = threading.Event()
        self.intake.sinks.append(lambda session_id, first, end: self._news.set())
        self._changes: SimpleQueue[tuple[str, list[int]]] = SimpleQueue()
        self.intake.mended_sinks.append(lambda session_id, numbers: self._changes.put((session_id, numbers)))
        self.loop: TrainLoop | None = None
        self._features: FeatureWorker | None = None
        self._close_files: list[Callable[[], None]] = []
        self._facts: dict[str, Any] = {}  # written into checkpoints

    def serve(self) -> ZmqServer:
        """Listen for actors on other threads; returns the server with its addresses."""
        return self._serving.start()

    def run(self, stop: Callable[[], bool]) -> None:
        """Train until `stop` returns True, then save. A learner that has made its updates goes on serving."""
        while not stop():
            if not self.step():
                self._news.wait(IDLE_S)
                self._news.clear()

    def step(self) -> bool:
        """Make one block of gradient steps if it is due; returns whether it was."""
        self._serving.check()
        if self.loop is None:
            if self.intake.schema is None:  # no demonstrations, and no actor has said HELLO
                return False
            self.loop = self._make_loop(self._spec_of(self.intake.schema), self.intake.schema)
        made = self.loop.step()
        self._tell(self.loop)
        return made

    def status(self) -> LearnerStatus:
        """Return the status of training; any thread may ask."""
        return LearnerStatus() if self.loop is None else self.loop.status()

    def close(self) -> None:
        """Save, and close sockets and files."""
        try:
            if self.loop is not None:
                self.loop.finish()
        finally:
            if self.loop is not None:
                self.loop.close()
            self._serving.close()
            self.intake.close()
            for close in self._close_files:
                close()

    def _required_schema(self) -> Schema | None:
        """Return the schema that actors must record, once it is known; set the policy's specification with it."""
        if self._checkpoint is not None:
            return Schema.from_json(self._checkpoint.facts["schema"])
        schema = self._sources.schema
        if schema is None and self._start_from is not None:
            schema = Schema.from_json(self._start_from.facts["schema"])
        if schema is not None:
            inputs = [item.key for item in self._spec_of(schema).inputs]
            return replace(schema, observation=tuple(one for one in schema.observation if one.name in inputs))
        return None

    def _spec_of(self, schema: Schema) -> PolicySpec:
        """Return the policy's specification, which the first schema fixes. Also called on the intake's thread."""
        with self._lock:
            if self._spec is None:
                demos, logs = self._sources.scaling_demos, self._sources.logs
                floors = self._config.scale_floors
                spec = build_policy_spec(self._policy_config, schema, demos, floors, self._backbone, logs)
                spec = self._algo.settings.adapt(spec)
                if self._start_from is not None:
                    other = SavedPolicy.from_files(self._start_from.files).spec
                    spec = compatible_spec(spec, other, self._start_from.folder)
                self._spec = spec
            return self._spec

    def _make_loop(self, spec: PolicySpec, schema: Schema) -> TrainLoop:
        config, checkpoint = self._config, self._checkpoint
        if not self._sources.readers:  # a few corrections are no demonstrations to start from
            config = replace(config, pretrain_updates=0)
        policy = Policy(spec, self._seed, self._backbone).to(self.device)
        policy.convolve_in(self._precision)
        algo: Algorithm[Any] = self._algo.make(policy, self._seed)
        steps = self._steps_of(algo)
        self._facts |= {"schema": schema.to_json(), "schema_hash": schema.hash, "config_hash": self._config_hash()}
        self._facts["identity"] = self.intake.identity.to_json()
        if checkpoint is not None:
            check_facts(checkpoint, self._facts)
            restore(algo, checkpoint)
            logger.info("resumed from %s", checkpoint.folder)
        elif self._start_from is not None:
            take_weights(algo, self._start_from)
        counters = counters_of(checkpoint)
        others, earlier = [reader.session_id for reader in self._sources.logs], self._sources.earlier
        store = open_store(config.capacity, checkpoint, self._readers(), self._action_gains, others, earlier)
        store.on_damage = self.intake.report_damage
        journal = open_journal(self._run.path / JOURNAL_FILE, checkpoint)
        metrics = Metrics(self._run.metrics, counters.step, self._sink)
        self._close_files += [journal.close, metrics.close]
        features, shares = self._feature_cache(spec), (config.prior_share, self._earlier_share)
        sampler = Sampler(store, spec, algo.sampling, self._seed, features, *shares)
        loop = TrainLoop(
            config,
            algo,
            Replay(store, sampler, journal),
            Results(metrics, self._checkpoints, CheckpointFolder(self._run.start, 1), self.learner_epoch, self._facts),
            Links(self._readers, self._serving.publish, self.intake.sync, self._take_changes),
            counters,
            self._clock,
            steps,
        )
        if self._start_from is not None and not config.pretrain_updates:
            loop.publish()  # nothing comes before practice, and the actor waits for weights
        return loop

    def _steps_of(self, algo: Algorithm[Any]) -> Steps:
        """Return the maker of the algorithm's gradient steps that suits the device."""
        if self._config.cuda_graph and self.device.type == "cuda":
            return CudaGraphSteps(algo)
        if self._config.compile and self.device.type == "cpu":
            steps = CompiledSteps(algo, self._policy_config.encoder_weights)
            self._close_files.append(steps.close)
            return steps
        return algo

    def _feature_cache(self, spec: PolicySpec) -> FeatureCache | None:
        """Return the cache of the frozen encoder's features, in the run's folder, and the thread that fills it."""
        views = self._policy_config.feature_cache
        if self._backbone is None or not views or not any(item.is_frame for item in spec.inputs):
            return None
        shift = self._algo.settings.sampling.image_shift
        cache = FeatureCache(self._run.features, self._backbone, spec.inputs, views, shift)
        self._features = FeatureWorker(cache)
        self._close_files += [self._features.close, cache.close]
        return cache

    def _config_hash(self) -> str:
        values = [asdict(config) for config in (self._config, self._algo.settings, self._policy_config)]
        # What "auto" leaves open.
        values[0] |= {"convolutions": str(self._precision), "matmul_precision": self._matmul}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    def _readers(self) -> list[LogReader]:
        readers = [*self._sources.readers, *self.intake.readers()]
        if self._features is not None:
            self._features.tell(readers)
        return readers

    def _log_folders(self) -> list[Path]:
        return [reader.folder for reader in (*self.intake.readers(), *self._sources.readers)]

    def _report_damage(self, session_id: str, numbers: list[int]) -> None:
        """Take records that the scrubber has found damaged out of training, and ask their actor for them."""
        self._changes.put((session_id, numbers))
        self.intake.report_damage(session_id, numbers)

    def _take_changes(self) -> list[tuple[str, list[int]]]:
        return [self._changes.get() for _ in range(self._changes.qsize())]

    def _tell(self, loop: TrainLoop) -> None:
        """Pass the progress of training to the intake's thread."""
        progress = Progress.of(loop)
        if progress != self._progress:
            before, self._progress = self._progress, progress
            self._facts["identity"] = self.intake.identity.to_json()  # the robot may be known from the first actor only
            if progress.releases(before):
                self._serving.announce()

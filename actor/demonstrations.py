"""Demonstrations: the successful episodes of a person or a scripted expert, as a demo set.

Failed attempts may be kept in a set of their own. Each carries a failure label, so that none is ever imitated;
reward classifiers and offline algorithms learn from them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import gymnasium
import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.authority import HandOver
from steadyhand.actor.control_loop import INTERRUPTED, ControlLoop, EpisodeSummary, episode_seed
from steadyhand.actor.demo_quality import demo_quality
from steadyhand.actor.events import DemoCounted, Events
from steadyhand.actor.operator_break import OperatorBreak
from steadyhand.actor.pause import pause, resume_after_stop
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.robot_envs.teachable import teachable
from steadyhand.runtime.clock import utc_text, wall_time_ns
from steadyhand.transport.demo_set import DemoManifest, is_demo_set, read_manifest, write_manifest
from steadyhand.transport.label_log import append_label, failure_label
from steadyhand.transport.log import LogReader, LogWriter
from steadyhand.transport.record import Kind, Phase
from steadyhand.transport.run_identity import UNKNOWN, Identity, write_identity
from steadyhand.transport.schema import Schema

__all__ = ["FailedAttempts", "RecordingConfig", "empty_manifest", "record_demos", "remove_new"]

Kept = Literal["demonstration", "failed attempt", "nothing"]


@dataclass(frozen=True)
class RecordingConfig:
    """Settings of a recording of demonstrations."""

    episodes: int  # successful demonstrations wanted in the set, those already in it included
    max_attempts: int  # episodes tried at most in this call
    segment_bytes: int  # size of one of the log's files
    actor_id: str
    expert: str  # the person or the scripted expert that demonstrates
    task: dict[str, Any]  # the task's resolved configuration
    hand_over: HandOver  # ramp with which the demonstrator starts from rest
    episode_settings: tuple[str, ...] = ()  # settings of the task that only fix where episodes begin
    reward: dict[str, Any] | None = None  # the reward's resolved configuration
    identity: Identity = UNKNOWN  # of the run, the task and the robot


def record_demos(
    config: RecordingConfig,
    env: gymnasium.Env[Any, Any],
    schema: Schema,
    demonstrator: Operator,
    folder: Path,
    seed: int,
    stop: Callable[[], bool],
    events: Events | None = None,
    accepted: Callable[[], object] = lambda: None,
    failed: Path | None = None,
) -> DemoManifest:
    """Record demonstrations into `folder` until there are enough, and return the set's manifest.

    An episode without success leaves no record there, but the manifest counts it. An episode that the person discards
    leaves no record anywhere, and is repeated from the same start. An existing set is continued.

    Args:
        config: Number of demonstrations, and their demonstrator.
        env: The environment, as `robot_envs.make_env` returns it.
        schema: Schema of `env`.
        demonstrator: Demonstrates the task; the robot stands still in a step in which it is not engaged.
        folder: Folder of the demo set.
        seed: Seed of the episodes' resets.
        stop: Ends the recording early; the set keeps what is complete.
        events: Gets every attempt, and its count and quality.
        accepted: Called once, when the first attempt has ended or none is wanted: from here on the set is kept. An
            error before that leaves no new set behind.
        failed: Set of the attempts without success; made by the first of them. None = they are not kept.

    Raises:
        LogError: `folder` or `failed` holds records of another schema or actor.
    """
    is_new = not is_demo_set(folder)
    manifest = empty_manifest(config, schema) if is_new else read_manifest(folder)
    before = set(folder.iterdir()) if folder.is_dir() else None
    writer = LogWriter(folder, schema, manifest.actor_id, manifest.session_id, config.segment_bytes)
    if not is_new:
        manifest = _caught_up(folder, manifest)
    records: list[NDArray[np.void]] = []
    loop = ControlLoop(env, schema, append=lambda record: records.append(record.copy()), events=events)
    selector = ActionSelector(
        demonstrator, Arbiter(teachable(env).motion_entries, config.hand_over, schema.control_period_s)
    )
    rest, events = OperatorBreak(env, demonstrator, events), events or Events()
    ramped = teachable(env).motion_entries
    lengths: list[int] = []  # of the demonstrations of this call
    failures = None if failed is None else FailedAttempts(config, schema, failed)
    begun = False
    try:
        if is_new:
            write_manifest(folder, manifest)
            write_identity(folder, config.identity)
        for _ in range(config.max_attempts):
            if manifest.successes >= config.episodes or stop():
                break
            records.clear()
            attempt = manifest.episodes
            reset_seed = episode_seed(seed, Phase.DEMO, attempt)
            summary = loop.run_episode(
                attempt, Phase.DEMO, selector, reset_seed, may_step=lambda: not (stop() or rest.requested())
            )
            if summary.stop_reason == INTERRUPTED:
                if rest.requested():
                    rest.run(stop, lambda reason: pause())
                continue
            if not begun:
                begun = True
                accepted()
            quality = demo_quality(records, ramped, lengths, summary.peak_force_n)
            kept: Kept = "nothing"
            if summary.success and not summary.discarded:
                kept = "demonstration"
                for record in records:
                    writer.append(record)
                writer.sync()
                lengths.append(summary.steps)
            elif failures is not None and not summary.discarded:
                kept = "failed attempt"
                failures.add(records)
            if not summary.discarded:
                manifest = _counted(manifest, summary)
                write_manifest(folder, manifest)
            line = "" if quality is None else quality.line()
            events.emit(DemoCounted(attempt, kept, manifest.successes, config.episodes, line))
            resume_after_stop(env, demonstrator, summary.stop_reason, stop, events=events)
        if not begun:
            begun = True
            accepted()
    finally:
        writer.close()
        if failures is not None:
            failures.close()
        if is_new and not begun:
            remove_new(folder, before)
    return manifest


def _caught_up(folder: Path, manifest: DemoManifest) -> DemoManifest:
    """Return the manifest with the demonstrations that a process stored before it died, and could not count any more.

    Their numbers must not be used twice. A part of a demonstration gets a failure label, so that it is not imitated.
    """
    with closing(LogReader(folder)) as reader:
        rows = np.arange(len(reader))
        seq, episode, kind, success = (reader.gather(rows, name) for name in ("seq", "episode_id", "kind", "success"))
    for number in np.unique(episode[(episode >= manifest.episodes) & (kind != Kind.LOST)]).tolist():
        mine = episode == number
        whole = bool((kind[mine] == Kind.FINAL).any())
        if not whole:
            numbers = seq[mine]
            end = int(numbers[-1]) + 1
            append_label(folder, failure_label(manifest.session_id, int(numbers[0]), end, manifest.expert))
        counts = whole and bool(success[mine].any())
        steps = int(np.count_nonzero(kind[mine] == Kind.STEP)) if counts else 0
        manifest = replace(
            manifest, episodes=number + 1, successes=manifest.successes + counts, steps=manifest.steps + steps
        )
    return manifest


class FailedAttempts:
    """The demo set of the attempts without success. Nothing is on the disk before the first of them.

    Args:
        config: The settings of `record_demos`.
        schema: Schema of the records.
        folder: Folder of the set; an existing set is continued.
    """

    def __init__(self, config: RecordingConfig, schema: Schema, folder: Path) -> None:
        self._config, self._schema, self._folder = config, schema, folder
        self._writer: LogWriter | None = None
        self._manifest = empty_manifest(config, schema)

    def add(self, records: Sequence[NDArray[np.void]]) -> None:
        """Append one episode's records and its failure label.

        Raises:
            LogError: The folder holds records of another schema or actor.
        """
        steps = sum(int(record["kind"]) == Kind.STEP for record in records)
        if not steps:
            return
        writer = self._open()
        first = writer.next_seq
        # The label comes first: a crash between the two leaves a label without records, never the reverse.
        m = self._manifest
        append_label(self._folder, failure_label(m.session_id, first, first + len(records), m.expert))
        for record in records:
            writer.append(record)
        writer.sync()
        self._manifest = replace(m, episodes=m.episodes + 1, steps=m.steps + steps)
        write_manifest(self._folder, self._manifest)

    def close(self) -> None:
        """Close the log."""
        if self._writer is not None:
            self._writer.close()

    def _open(self) -> LogWriter:
        if self._writer is None:
            is_new = not is_demo_set(self._folder)
            if not is_new:
                self._manifest = read_manifest(self._folder)
            m = self._manifest
            self._writer = LogWriter(self._folder, self._schema, m.actor_id, m.session_id, self._config.segment_bytes)
            write_manifest(self._folder, m)
            if is_new:
                write_identity(self._folder, self._config.identity)
        return self._writer


def remove_new(folder: Path, before: set[Path] | None) -> None:
    """Remove the new files of `folder`, and the folder itself if it is new."""
    for path in set(folder.iterdir()) - (before or set()):
        path.unlink()
    if before is None:
        folder.rmdir()


def empty_manifest(config: RecordingConfig, schema: Schema) -> DemoManifest:
    """Return the manifest of a new set without episodes."""
    return DemoManifest(
        schema=schema,
        episodes=0,
        successes=0,
        steps=0,
        task=config.task,
        actor_id=config.actor_id,
        session_id=secrets.token_hex(16),
        date=utc_text(wall_time_ns()),
        expert=config.expert,
        episode_settings=config.episode_settings,
        reward=config.reward,
    )


def _counted(manifest: DemoManifest, summary: EpisodeSummary) -> DemoManifest:
    return replace(
        manifest,
        episodes=manifest.episodes + 1,
        successes=manifest.successes + summary.success,
        steps=manifest.steps + (summary.steps if summary.success else 0),
    )

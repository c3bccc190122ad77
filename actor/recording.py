"""The recording of a demonstrator's episodes into a demo set: one attempt after another, until there are enough."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import gymnasium
import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.authority import HandOver
from steadyhand.actor.control_loop import INTERRUPTED, ControlLoop, EpisodeSummary, episode_seed
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

__all__ = ["Attempt", "Kept", "RecordingConfig", "empty_manifest", "record_episodes"]


@dataclass(frozen=True)
class RecordingConfig:
    """Settings of a recording."""

    episodes: int  # successful episodes wanted in the set, those already in it included
    max_attempts: int  # episodes tried at most in this call
    segment_bytes: int  # size of one of the log's files
    actor_id: str
    expert: str  # the person or the scripted expert that demonstrates
    task: dict[str, Any]  # the task's resolved configuration
    hand_over: HandOver  # ramp with which the demonstrator starts from rest
    episode_settings: tuple[str, ...] = ()  # settings of the task that only fix where episodes begin
    reward: dict[str, Any] | None = None  # the reward's resolved configuration
    identity: Identity = UNKNOWN  # of the run, the task and the robot


class Attempt(NamedTuple):
    """An episode that is over and that the person did not discard, and the set that may keep it."""

    records: Sequence[NDArray[np.void]]  # its steps and its last observation
    summary: EpisodeSummary
    writer: LogWriter  # of the set
    session_id: str  # of the set

    @property
    def steps(self) -> int:
        """The number of steps among the records."""
        return sum(int(record["kind"]) == Kind.STEP for record in self.records)


class Kept(NamedTuple):
    """The place where an attempt was kept, and one line about it."""

    where: Literal["demonstration", "failed attempt", "examples", "nothing"]
    steps: int  # stored in the set itself
    line: str


def record_episodes(
    config: RecordingConfig,
    env: gymnasium.Env[Any, Any],
    schema: Schema,
    demonstrator: Operator,
    folder: Path,
    seed: int,
    stop: Callable[[], bool],
    keep: Callable[[Attempt], Kept],
    events: Events | None = None,
    accepted: Callable[[], object] = lambda: None,
) -> DemoManifest:
    """Record episodes into `folder` until enough of them succeed, and return the set's manifest.

    An episode that the person discards leaves no record, and is repeated from the same start. The manifest counts every
    other one, kept or not. An existing set is continued.

    Args:
        config: Number of successful episodes, and their demonstrator.
        env: The environment, as `robot_envs.make_env` returns it.
        schema: Schema of `env`.
        demonstrator: Drives the arm; the robot stands still in a step in which it is not engaged.
        folder: Folder of the set.
        seed: Seed of the episodes' resets.
        stop: Ends the recording early; the set keeps what is complete.
        keep: Stores an attempt, or does not.
        events: Gets every attempt, and its count.
        accepted: Called once, when the first attempt has ended or none is wanted: from here on the set is kept. An
            error before that leaves no new set behind.

    Raises:
        LogError: `folder` holds records of another schema or actor.
    """
    is_new, before = not is_demo_set(folder), set(folder.iterdir()) if folder.is_dir() else None
    manifest = empty_manifest(config, schema) if is_new else read_manifest(folder)
    writer = LogWriter(folder, schema, manifest.actor_id, manifest.session_id, config.segment_bytes)
    if not is_new:
        manifest = _caught_up(folder, manifest)
    records: list[NDArray[np.void]] = []
    loop = ControlLoop(env, schema, append=lambda record: records.append(record.copy()), events=events)
    arbiter = Arbiter(teachable(env).motion_entries, config.hand_over, schema.control_period_s)
    selector = ActionSelector(demonstrator, arbiter)
    rest, events = OperatorBreak(env, demonstrator, events), events or Events()
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
            kept = Kept("nothing", 0, "discarded")
            if not summary.discarded:
                kept = keep(Attempt(records, summary, writer, manifest.session_id))
                manifest = _counted(manifest, summary.success, kept.steps)
                write_manifest(folder, manifest)
            events.emit(DemoCounted(attempt, kept.where, manifest.successes, config.episodes, kept.line))
            resume_after_stop(env, demonstrator, summary.stop_reason, stop, events=events)
        if not begun:
            begun = True
            accepted()
    finally:
        writer.close()
        if is_new and not begun:
            _remove_new(folder, before)
    return manifest


def _caught_up(folder: Path, manifest: DemoManifest) -> DemoManifest:
    """Return the manifest with the episodes that a process stored before it died, and could not count any more.

    Their numbers must not be used twice. A part of an episode gets a failure label, so that it is not imitated.
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
        steps = int(np.count_nonzero(kind[mine] == Kind.STEP)) if whole else 0
        manifest = _counted(replace(manifest, episodes=number), whole and bool(success[mine].any()), steps)
    return manifest


def _counted(manifest: DemoManifest, success: bool, steps: int) -> DemoManifest:
    return replace(
        manifest,
        episodes=manifest.episodes + 1,
        successes=manifest.successes + success,
        steps=manifest.steps + steps,
    )


def _remove_new(folder: Path, before: set[Path] | None) -> None:
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

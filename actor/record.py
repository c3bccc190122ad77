"""Demonstrations: the episodes that a person, or somebody standing in for one, brought to success, as a demo set."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.authority import HandOver, ramped_entries
from steadyhand.actor.break_time import BreakTime
from steadyhand.actor.chooser import Chooser
from steadyhand.actor.control_loop import INTERRUPTED, ControlLoop, EpisodeSummary, episode_seed
from steadyhand.actor.waiting import pause, resume_after_stop
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.runtime.clock import utc_text, wall_time_ns
from steadyhand.transport.demo_set import DemoManifest, is_demo_set, read_manifest, write_manifest
from steadyhand.transport.identity import UNKNOWN, Identity, write_identity
from steadyhand.transport.log import LogWriter
from steadyhand.transport.record import Phase
from steadyhand.transport.schema import Schema

__all__ = ["RecordingConfig", "record_demos"]


@dataclass(frozen=True)
class RecordingConfig:
    """What to record."""

    episodes: int  # successful demonstrations wanted in the set, those already in it included
    max_attempts: int  # episodes tried at most in this call
    segment_bytes: int  # size of one of the log's files
    actor_id: str
    expert: str  # who or what demonstrates
    task: dict[str, Any]  # the task's resolved configuration
    hand_over: HandOver  # how the demonstrator takes over from rest
    episode_settings: tuple[str, ...] = ()  # settings of the task that only say where episodes begin
    identity: Identity = UNKNOWN  # of the run, the task and the robot


def record_demos(
    config: RecordingConfig,
    env: gymnasium.Env[Any, Any],
    schema: Schema,
    demonstrator: Operator,
    folder: Path,
    seed: int,
    stop: Callable[[], bool],
    on_episode: Callable[[EpisodeSummary], None] = lambda summary: None,
    accepted: Callable[[], object] = lambda: None,
) -> DemoManifest:
    """Record demonstrations into `folder` until there are enough, and return the set's manifest.

    An episode without success leaves no record, but the manifest counts it. An existing set is continued.

    Args:
        config: How many, by whom.
        env: As `robot_envs.make_env` returns it.
        schema: Of `env`.
        demonstrator: Shows the task; in a step in which it is not engaged the robot stands still.
        folder: The demo set.
        seed: Of the episodes' resets.
        stop: Ends the recording early; the set keeps what is complete.
        on_episode: Told about every attempt.
        accepted: Called once, when the first attempt has ended or none is wanted: from here on the set is kept. An
            error before that leaves no new set behind.

    Raises:
        LogError: `folder` holds records of another schema or actor.
    """
    is_new = not is_demo_set(folder)
    manifest = _empty(config, schema) if is_new else read_manifest(folder)
    before = set(folder.iterdir()) if folder.is_dir() else None
    writer = LogWriter(folder, schema, manifest.actor_id, manifest.session_id, config.segment_bytes)
    records: list[NDArray[np.void]] = []
    loop = ControlLoop(env, schema, append=lambda record: records.append(record.copy()))
    chooser = Chooser(demonstrator, Arbiter(ramped_entries(env), config.hand_over, schema.control_period_s))
    rest = BreakTime(env, demonstrator)
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
                attempt, Phase.DEMO, chooser, reset_seed, may_step=lambda: not (stop() or rest.wanted())
            )
            if summary.stop_reason == INTERRUPTED:
                if rest.wanted():
                    rest.take(stop, lambda reason: pause())
                continue
            if not begun:
                begun = True
                accepted()
            if summary.success:
                for record in records:
                    writer.append(record)
                writer.sync()
            manifest = _counted(manifest, summary)
            write_manifest(folder, manifest)
            on_episode(summary)
            resume_after_stop(env, demonstrator, summary.stop_reason, stop)
        if not begun:
            begun = True
            accepted()
    finally:
        writer.close()
        if is_new and not begun:
            _remove_new(folder, before)
    return manifest


def _remove_new(folder: Path, before: set[Path] | None) -> None:
    """Remove what lies in `folder` and did not before; the folder too, where it was not there."""
    for path in set(folder.iterdir()) - (before or set()):
        path.unlink()
    if before is None:
        folder.rmdir()


def _empty(config: RecordingConfig, schema: Schema) -> DemoManifest:
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
    )


def _counted(manifest: DemoManifest, summary: EpisodeSummary) -> DemoManifest:
    return replace(
        manifest,
        episodes=manifest.episodes + 1,
        successes=manifest.successes + summary.success,
        steps=manifest.steps + (summary.steps if summary.success else 0),
    )

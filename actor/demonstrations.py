"""Demonstrations: the successful episodes of a person or a scripted expert, as a demo set."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import gymnasium

from steadyhand.actor.demo_quality import demo_quality
from steadyhand.actor.events import Events
from steadyhand.actor.failed_attempts import FailedAttempts
from steadyhand.actor.recording import Attempt, Kept, RecordingConfig, record_episodes
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.robot_envs.teachable import teachable
from steadyhand.transport.demo_set import DemoManifest
from steadyhand.transport.schema import Schema

__all__ = ["record_demos"]


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

    As `record_episodes`. An attempt without success leaves no record in `folder`, but the manifest counts it; the set
    `failed` keeps it, made by the first of them, unless that is None.

    Raises:
        LogError: `folder` or `failed` holds records of another schema or actor.
    """
    ramped = teachable(env).motion_entries
    lengths: list[int] = []  # of the demonstrations of this call
    failures = None if failed is None else FailedAttempts(config, schema, failed)

    def keep(attempt: Attempt) -> Kept:
        summary = attempt.summary
        quality = demo_quality(attempt.records, ramped, lengths, summary.peak_force_n)
        line = "" if quality is None else quality.line()
        if summary.success:
            for record in attempt.records:
                attempt.writer.append(record)
            attempt.writer.sync()
            lengths.append(summary.steps)
            return Kept("demonstration", summary.steps, line)
        if failures is not None:
            failures.add(attempt)
            return Kept("failed attempt", 0, line)
        return Kept("nothing", 0, line)

    with nullcontext() if failures is None else closing(failures):
        return record_episodes(config, env, schema, demonstrator, folder, seed, stop, keep, events, accepted)

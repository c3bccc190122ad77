"""Examples for a success classifier: every episode of a demonstrator, with a mark on each observation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from steadyhand.actor.events import Events
from steadyhand.actor.marks import MarkedEnv
from steadyhand.actor.recording import Attempt, Kept, RecordingConfig, record_episodes
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.runtime.clock import utc_text, wall_time_ns
from steadyhand.transport.demo_set import DemoManifest
from steadyhand.transport.label_log import Label, append_label
from steadyhand.transport.schema import Schema

__all__ = ["record_examples"]


def record_examples(
    config: RecordingConfig,
    env: MarkedEnv,
    schema: Schema,
    demonstrator: Operator,
    folder: Path,
    seed: int,
    stop: Callable[[], bool],
    events: Events | None = None,
    accepted: Callable[[], object] = lambda: None,
) -> DemoManifest:
    """Record episodes into `folder` until enough of them end with the last stage, and return the set's manifest.

    As `record_episodes`; every episode is kept, also one without success. The marks of `env` are labels beside the
    records.

    Raises:
        LogError: `folder` holds records of another schema or actor.
    """

    def keep(attempt: Attempt) -> Kept:
        line = f"{env.stages.count(env.last_stage)} of {len(env.stages)} observations show the last stage"
        if not attempt.steps:
            return Kept("nothing", 0, line)
        _append(attempt, env.stages, config.expert)
        return Kept("examples", attempt.steps, line)

    return record_episodes(config, env, schema, demonstrator, folder, seed, stop, keep, events, accepted)


def _append(attempt: Attempt, stages: list[int], author: str) -> None:
    """Append one episode and its marks. The record of step t holds the observation before the step, number t."""
    records, writer = attempt.records, attempt.writer
    first = writer.next_seq
    # A fault in the middle of an episode has cut off its last observation.
    marks = tuple(stages[: len(records)])
    # The label comes first: a crash between the two leaves a label without records, never records without marks.
    label = Label(
        attempt.session_id, first, first + len(records), None, None, None, author, utc_text(wall_time_ns()), 0, marks
    )
    append_label(writer.folder, label)
    for record in records:
        writer.append(record)
    writer.sync()

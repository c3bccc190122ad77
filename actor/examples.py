"""Examples for a success classifier: every episode of a demonstrator, with a mark on each observation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.control_loop import INTERRUPTED, ControlLoop, episode_seed
from steadyhand.actor.demonstrations import RecordingConfig, empty_manifest, remove_new
from steadyhand.actor.events import DemoCounted, Events
from steadyhand.actor.marks import MarkedEnv
from steadyhand.actor.operator_break import OperatorBreak
from steadyhand.actor.pause import pause, resume_after_stop
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.robot_envs.teachable import teachable
from steadyhand.runtime.clock import utc_text, wall_time_ns
from steadyhand.transport.demo_set import DemoManifest, is_demo_set, read_manifest, write_manifest
from steadyhand.transport.label_log import Label, append_label
from steadyhand.transport.log import LogWriter
from steadyhand.transport.record import Kind, Phase
from steadyhand.transport.run_identity import write_identity
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

    Every episode is kept, also one without success; one that the person discards is not. The marks are labels beside
    the records. An existing set is continued.

    Args:
        config: Number of episodes with the last stage, and the demonstrator.
        env: Gives the marks.
        schema: Schema of `env`.
        demonstrator: Drives the arm.
        folder: Folder of the set.
        seed: Seed of the episodes' resets.
        stop: Ends the recording early; the set keeps what is complete.
        events: Gets every attempt and its count.
        accepted: Called once, when the first episode has ended or none is wanted. An error before that leaves no new
            set behind.

    Raises:
        LogError: `folder` holds records of another schema or actor.
    """
    is_new, before = not is_demo_set(folder), set(folder.iterdir()) if folder.is_dir() else None
    manifest = empty_manifest(config, schema) if is_new else read_manifest(folder)
    writer = LogWriter(folder, schema, manifest.actor_id, manifest.session_id, config.segment_bytes)
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
            summary = loop.run_episode(
                attempt,
                Phase.DEMO,
                selector,
                episode_seed(seed, Phase.DEMO, attempt),
                may_step=lambda: not (stop() or rest.requested()),
            )
            if summary.stop_reason == INTERRUPTED:
                if rest.requested():
                    rest.run(stop, lambda reason: pause())
                continue
            if not begun:
                begun = True
                accepted()
            kept = not summary.discarded and any(int(record["kind"]) == Kind.STEP for record in records)
            if kept:
                _append(writer, manifest, records, env.stages, config.expert)
                manifest = replace(
                    manifest,
                    episodes=attempt + 1,
                    successes=manifest.successes + summary.success,
                    steps=manifest.steps + summary.steps,
                )
                write_manifest(folder, manifest)
            line = f"{env.stages.count(env.last_stage)} of {len(env.stages)} observations show the last stage"
            events.emit(
                DemoCounted(attempt, "examples" if kept else "nothing", manifest.successes, config.episodes, line)
            )
            resume_after_stop(env, demonstrator, summary.stop_reason, stop, events=events)
        if not begun:
            begun = True
            accepted()
    finally:
        writer.close()
        if is_new and not begun:
            remove_new(folder, before)
    return manifest


def _append(
    writer: LogWriter, manifest: DemoManifest, records: list[NDArray[np.void]], stages: list[int], author: str
) -> None:
    """Append one episode and its marks. The record of step t holds the observation before the step, number t."""
    first = writer.next_seq
    # A crash in the middle of an episode has cut off its last observation.
    marks = tuple(stages[: len(records)])
    # The label comes first: a crash between the two leaves a label without records, never records without marks.
    label = Label(
        manifest.session_id, first, first + len(records), None, None, None, author, utc_text(wall_time_ns()), 0, marks
    )
    append_label(writer.folder, label)
    for record in records:
        writer.append(record)
    writer.sync()

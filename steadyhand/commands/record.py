"""Record successful demonstrations into a run folder; an existing set is continued."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from steadyhand.actor.control_loop import INTERRUPTED
from steadyhand.actor.events import EpisodeEnded, Events
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.job import new_job, with_alias
from steadyhand.person import say_requests
from steadyhand.pipeline.recording import record
from steadyhand.pipeline.recording_dialogue import RecordingLines
from steadyhand.robot_envs.devices.make import held_by_person
from steadyhand.terminal import say

EPILOG = (
    "`episodes=20` is short for demo.demos=20.\nexample: steadyhand record task=peg_insert episodes=20 run_name=pegs"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add no options: the verb has none of its own."""


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Record, and print every attempt and the folder of the set."""
    events = Events()
    events.subscribe(EpisodeEnded, _say_attempt)
    say_requests(events)
    with new_job(with_alias(overrides, "episodes", "demo.demos")) as job, StopFlag().on_signals() as stop:
        if held_by_person(job.settings.composed["device"]):
            RecordingLines(job.settings.demo.dialogue, events)
        manifest = record(job, stop, events, job.write_manifest)
    say(f"{manifest.successes} demonstrations of {manifest.episodes} attempts, {manifest.steps} steps: {job.run.demos}")
    return 130 if stop() else 0


def _say_attempt(event: EpisodeEnded) -> None:
    summary = event.summary
    if summary.stop_reason == INTERRUPTED:
        return
    outcome = "success" if summary.success else f"no success{', ' if summary.stop_reason else ''}{summary.stop_reason}"
    say(f"  attempt {summary.episode_id + 1}: {outcome}, {summary.steps} steps")

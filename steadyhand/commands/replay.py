"""Replay a recorded episode through the safety gate, from the same start, and compare the poses that are reached."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np

from steadyhand.actor.events import Events
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.job import quoted
from steadyhand.output import check_output
from steadyhand.person import say_requests, with_person
from steadyhand.pipeline.environment import driven_env
from steadyhand.pipeline.recorded_episode import Recorded, ReplayError, check_replayable, read_episode
from steadyhand.pipeline.recording_origin import recorded_seeds, run_of
from steadyhand.pipeline.replaying import Replayed, outcome_lines, replay
from steadyhand.remembered import with_run
from steadyhand.robot_envs.make import RobotTaskConfig, make_onlooker
from steadyhand.runtime.config import compose
from steadyhand.runtime.logging import setup
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.settings import Settings, read_settings
from steadyhand.terminal import say, table_text
from steadyhand.transport.demo_set import is_demo_set, read_manifest

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = (
    "Task and robot are those of the recording's run, or of the demo set; robot=... replays it on another one. With\n"
    "device=keyboard and the like nothing moves before the operator enables motion. Another action scale, control\n"
    "period or schema is refused. `steadyhand inspect FOLDER --episodes` lists the episodes.\n"
    "example: steadyhand replay runs/pegs/demos --episode 3"
)
MM, DEG = 1e3, 180.0 / np.pi


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the recording, the episode and the result."""
    parser.add_argument("folder", type=Path, help="a demo set, or a log")
    parser.add_argument("--episode", type=int, metavar="N", help="number of the episode; the first one otherwise")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there, step by step")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Replay one episode and print the comparison."""
    if options.json:
        check_output(options.json, "--json")
    recorded = read_episode(options.folder, options.episode)
    settings, seeds = _settings(options.folder, overrides)
    setup(settings.logging.level)
    task, events = settings.task, Events()
    if not isinstance(task, RobotTaskConfig):
        raise ReplayError(f"{options.folder}: expected a task of an arm, found a gymnasium environment; give task=...")
    say_requests(events)
    with (
        StopFlag().on_signals() as stop,
        driven_env(settings, settings.seed) as env,
        with_person(settings, env, partial(make_onlooker, settings.composed, env), stop, events) as person,
    ):
        check_replayable(recorded.schema, person.env, str(options.folder))
        result = replay(person.env, recorded, task, seeds, stop)
    _show(options.folder, recorded, result)
    if options.json:
        about = {"episode": recorded.episode_id, "recorded_success": recorded.success}
        atomic_write_json(options.json, about | asdict(result))
    if stop():
        return 130
    return 1 if result.stop_reason else 0


def _settings(folder: Path, overrides: Sequence[str]) -> tuple[Settings, list[int]]:
    """Return the settings of the recording's run, or of its demo set, and the seeds that the run was started with."""
    run = run_of(folder)
    words = list(overrides)
    if run is not None and not any(word.startswith("run_name=") for word in words):
        words = with_run([f"run_root={quoted(run.path.parent)}", f"run_name={run.name}", *words])
    config = compose(words)
    if run is None and is_demo_set(folder) and not any(word.startswith("task=") for word in words):
        config = {**config, "task": read_manifest(folder).task}
    settings = read_settings(config)
    return settings, recorded_seeds(run, settings.seed)


def _show(folder: Path, recorded: Recorded, result: Replayed) -> None:
    total = len(recorded.sent)
    say(f"{folder}: episode {recorded.episode_id}, {result.steps} of {total} steps replayed; start {result.start}")
    rows = [
        (name, *(f"{scale * value:.2f} {unit}" for value in _summary(values)))
        for name, values, scale, unit in (
            ("position", result.position_m, MM, "mm"),
            ("rotation", result.rotation_rad, DEG, "deg"),
        )
    ]
    say(table_text(("recorded and reached", "mean", "largest", "at the end"), rows))
    for line in outcome_lines(recorded, result):
        say(line)


def _summary(values: Sequence[float]) -> tuple[float, float, float]:
    return (float(np.mean(values)), max(values), values[-1]) if values else (float("nan"),) * 3

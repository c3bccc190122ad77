"""Start the learner: it stores the actors' records, trains on them and on demonstrations, and publishes weights."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from steadyhand.actor.stop_flag import StopFlag
from steadyhand.job import new_job
from steadyhand.pipeline.learning import Sources, learn
from steadyhand.runtime.run_lock import run_lock
from steadyhand.subprocesses import end_with_parent

EPILOG = (
    "Demonstrations are the run's own, in its demos/, and those that --demos names. Ctrl-C saves a checkpoint and\n"
    "ends; the same command goes on from there, and takes the same --demos and --logs.\n"
    "example: steadyhand learn run_name=pegs learner.device=cuda"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for data and weights of other runs, and for waiting for demonstrations."""
    parser.add_argument(
        "--await-demos", action="store_true", help="wait until the run's own demonstrations are complete"
    )
    parser.add_argument("--demos", type=Path, metavar="FOLDER", action="append", default=[], help="another demo set")
    parser.add_argument(
        "--logs",
        type=Path,
        metavar="FOLDER",
        action="append",
        default=[],
        help="practice of another run, failures included: its run folder, or a log in it",
    )
    parser.add_argument(
        "--from",
        type=Path,
        metavar="FOLDER",
        dest="start_from",
        help="start with the weights of another run: its run folder, or a checkpoint in it",
    )


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Serve actors and train until the process is stopped."""
    end_with_parent()
    with new_job(overrides) as job, run_lock(job.run.path, "learner"), StopFlag().on_signals() as stop:
        sources = Sources(tuple(options.demos), tuple(options.logs), options.start_from)
        learn(job, sources, options.await_demos, stop)
    return 0

"""Start the learner: it keeps what actors send, trains on it and on demonstrations, and gives better weights back."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from steadyhand.actor.stop_flag import StopFlag
from steadyhand.children import end_with_parent
from steadyhand.job import new_job
from steadyhand.pipeline.learning import learn
from steadyhand.runtime.run_lock import run_lock

EPILOG = (
    "Demonstrations are the run's own, in its demos/, and those that --demos names. Ctrl-C saves a checkpoint and\n"
    "ends; the same command goes on from there.\n"
    "example: steadyhand learn run_name=pegs learner.device=cuda"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Take more demonstrations, or wait for them."""
    parser.add_argument(
        "--await-demos", action="store_true", help="wait until the run's own demonstrations are complete"
    )
    parser.add_argument("--demos", type=Path, metavar="FOLDER", action="append", default=[], help="another demo set")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Serve and train until somebody ends it."""
    end_with_parent()
    with new_job(overrides) as job, run_lock(job.run.path, "learner"), StopFlag().on_signals() as stop:
        learn(job, options.demos, options.await_demos, stop)
    return 0

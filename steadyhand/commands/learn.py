"""Start the learner: it stores the actors' records, trains on them and on demonstrations, and publishes weights."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from steadyhand.actor.stop_flag import StopFlag
from steadyhand.job import new_job, quoted
from steadyhand.pipeline.learning import Sources, learn
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.run_lock import run_lock
from steadyhand.subprocesses import end_with_parent

EPILOG = (
    "Demonstrations are the run's own, in its demos/, and those that --demos names. Ctrl-C saves a checkpoint and\n"
    "ends; the same command goes on from there, and takes the same --demos, --logs and --from.\n"
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
        metavar="RUN",
        dest="earlier",
        help="start from an earlier run: its folder, its name, or a checkpoint in it; as earlier.run=RUN",
    )
    parser.add_argument(
        "--take", metavar="PARTS", help="parts of it: weights,demos,practice,classifier; as earlier.take=[PARTS]"
    )


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Serve actors and train until the process is stopped."""
    end_with_parent()
    words = [*overrides, *earlier_words(options.earlier, options.take)]
    with new_job(words) as job, run_lock(job.run.path, "learner"), StopFlag().on_signals() as stop:
        learn(job, Sources(tuple(options.demos), tuple(options.logs)), options.await_demos, stop)
    return 0


def earlier_words(run: str | None, take: str | None) -> list[str]:
    """Return the overrides that `--from` and `--take` stand for.

    Raises:
        ConfigError: Parts are given without a run.
    """
    if run is None:
        if take is not None:
            raise ConfigError(
                f"--take {take}: expected --from RUN beside it, found none; say which run gives the parts"
            )
        return []
    return [f"earlier.run={quoted(Path(run))}", *([] if take is None else [f"earlier.take=[{take}]"])]

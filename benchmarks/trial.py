"""A trial of a benchmark: one configuration, whose finished row is a file that an interrupted benchmark finds again."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from steadyhand.runtime.config import compose
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.subprocesses import thread_environment

__all__ = ["Trial", "finished_rows", "run_missing"]


class Trial(ABC):
    """One configuration of a benchmark."""

    @property
    @abstractmethod
    def label(self) -> str:
        """The varied quantities, such as task and seed; the first part of the name."""

    @property
    @abstractmethod
    def overrides(self) -> Sequence[str]:
        """The configuration as overrides."""

    @cached_property
    def name(self) -> str:
        """A name that is unique to the configuration."""
        config = json.dumps(compose(self.overrides), sort_keys=True)
        return f"{self.label}-{hashlib.sha256(config.encode()).hexdigest()[:8]}".lower()

    def row_path(self, runs: Path) -> Path:
        """Return the file of the finished row."""
        return runs / f"row-{self.name}.json"

    def row(self, runs: Path) -> dict[str, Any] | None:
        """Return the finished row; None if there is none."""
        path = self.row_path(runs)
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def write_row(self, runs: Path, row: dict[str, Any]) -> None:
        """Write the finished row."""
        atomic_write_json(self.row_path(runs), row)


def finished_rows(trials: Sequence[Trial], runs: Path) -> list[dict[str, Any]]:
    """Return the rows of those trials that are finished."""
    return [row for trial in trials if (row := trial.row(runs))]


T = TypeVar("T", bound=Trial)


def run_missing(
    trials: Sequence[T],
    runs: Path,
    jobs: int,
    command: Callable[[T], Sequence[str]],
    ended: Callable[[T, dict[str, Any] | None, int], object],
) -> None:
    """Run the trials without a finished row, each in a process of its own with one thread.

    Args:
        trials: The trials.
        runs: Folder of the rows.
        jobs: Trials at a time.
        command: Returns the command line that runs a trial and writes its row.
        ended: Called after a trial with its row and the exit status; the row is None if the trial has failed.
    """

    def run(trial: T) -> None:
        if not trial.row(runs):
            done = subprocess.run(command(trial), env={**os.environ, **thread_environment(1)}, check=False)
            ended(trial, trial.row(runs), done.returncode)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(run, trials))

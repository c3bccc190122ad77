"""One run: its settings, its overrides, and its folder."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from steadyhand.actor_id import configured_actor_id, identity_of, task_identity
from steadyhand.remembered import CONFIG_DIR, OVERRIDES, with_run
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import CONFIG_VARIABLE, compose
from steadyhand.runtime.logging import setup
from steadyhand.runtime.run_folder import RunFolder, new_run_name
from steadyhand.settings import Settings, compose_settings
from steadyhand.subprocesses import is_child
from steadyhand.transport.run_identity import Identity

if TYPE_CHECKING:
    from steadyhand.training_settings import TrainingSettings

__all__ = [
    "Job",
    "RobotJob",
    "new_job",
    "open_job",
    "open_robot_job",
    "quoted",
    "seed_for",
    "task_identity",
    "task_name",
    "with_alias",
    "with_learner",
]

MAX_STEM = 32


@dataclass(frozen=True)
class RobotJob:
    """A run on a machine beside the robot. It needs neither torch nor the learner.

    Attributes:
        overrides: The overrides of the command line.
        settings: The settings built from them.
        run: The run folder.
    """

    overrides: tuple[str, ...]
    settings: Settings
    run: RunFolder

    @property
    def seed(self) -> int:
        """The seed from which every other seed is derived."""
        return self.settings.seed

    @property
    def actor_id(self) -> str:
        """Return the actor id under which this process records."""
        return configured_actor_id(self.settings.composed)

    @property
    def identity(self) -> Identity:
        """Return the run, the task and the robot, as a HELLO message carries them."""
        return identity_of(self.settings.composed, self.run)

    def write_manifest(self, **facts: Any) -> None:
        """Write the manifest of this start into the run folder. In a child process do nothing: the parent writes it."""
        if not is_child() or self.run.read_manifest() is None:
            own = {OVERRIDES: list(self.overrides), CONFIG_DIR: os.environ.get(CONFIG_VARIABLE)}
            self.run.write_manifest(dict(self.settings.composed), {"seed": self.seed}, own | facts)

    def child_overrides(self, *more: str) -> list[str]:
        """Return the overrides of a child process that works on the same run; `more` comes last and wins."""
        given = [override for override in self.overrides if not override.startswith(("run_name=", "run_root="))]
        return [*given, f"run_root={quoted(self.run.path.parent)}", f"run_name={self.run.name}", *more]


@dataclass(frozen=True)
class Job(RobotJob):
    """A run of a program that trains or evaluates a policy."""

    settings: TrainingSettings


def quoted(path: Path) -> str:
    """Write a path as the value of an override: folders may have blanks, brackets and accents in their names."""
    escaped = str(path).replace("\\'", "\\\\'").replace("'", "\\'")
    return f"'{escaped}'"


def open_job(
    overrides: Sequence[str], create: bool | None = True, any_task: bool = False, remember: bool = False
) -> Job:
    """Build all settings, open the run folder, and set up logging.

    Args:
        overrides: As on the command line.
        create: True makes a new run if `run_name` names no existing one; False refuses that. None needs no run, and
            refuses only a named run that does not exist.
        any_task: Whether the configured task may differ from the run's, because the caller reads the task from the run.
        remember: Whether task, robot, cameras and the like are those of the run unless the overrides choose others.

    Raises:
        ConfigError: An override is wrong, or the run was made for another task.
        RunFolderError: The run's name or folder cannot be used.
    """
    overrides = with_run(overrides) if remember else overrides
    overrides = _with_classifier(overrides)
    settings = _training_settings(compose(overrides))
    return Job(tuple(overrides), settings, _open_run(settings, create, any_task))


def open_robot_job(overrides: Sequence[str]) -> RobotJob:
    """Open a job as `open_job` does, without the learner's settings: for a machine that only deploys a policy.

    Raises:
        ConfigError, RunFolderError: As `open_job`.
    """
    overrides = _with_classifier(overrides)
    settings = compose_settings(overrides)
    return RobotJob(tuple(overrides), settings, _open_run(settings, create=True, any_task=False))


def with_learner(job: RobotJob) -> Job:
    """Return the job with the settings of the learner added.

    Raises:
        ConfigError: A setting is wrong.
        ImportError: Torch is missing.
    """
    return Job(job.overrides, _training_settings(job.settings.composed), job.run)


@contextmanager
def new_job(overrides: Sequence[str]) -> Iterator[Job]:
    """Open a job as `open_job` does. A start that is refused before the first record leaves no run folder."""
    job = open_job(overrides)
    try:
        yield job
    except BaseException:
        job.run.discard()
        raise


def _training_settings(config: Mapping[str, Any]) -> TrainingSettings:
    # These import torch and the learner. A machine that deploys a policy imports this module and has neither.
    from steadyhand.training_settings import read_training_settings

    return read_training_settings(config)


def _with_classifier(overrides: Sequence[str]) -> list[str]:
    """Return the overrides after those that choose the classifier of the earlier run, if it is to be taken."""
    if not any(word.lstrip("+").startswith("earlier") for word in overrides):
        return list(overrides)
    from steadyhand.earlier.classifier_words import classifier_words  # it imports the learner

    return [*classifier_words(overrides), *overrides]


def _open_run(settings: Settings, create: bool | None, any_task: bool) -> RunFolder:
    setup(settings.logging.level)
    name = settings.run_name
    if name is None and create is False:
        raise ConfigError("run_name: expected the name of a run, found none; `steadyhand runs` lists them")
    run = RunFolder(
        settings.run_root,
        new_run_name(task_name(settings.composed)) if name is None else name,
        False if create is None and name is not None else create,
    )
    if not any_task:
        _check_task(run, settings.composed)
    return run


def _check_task(run: RunFolder, config: Mapping[str, Any]) -> None:
    """Refuse a task other than that of the run's earlier starts, whose records and policy belong to it."""
    earlier = (run.read_manifest() or {}).get("config", {}).get("task")
    if earlier is None:
        return
    wanted, found = task_identity(config["task"]), task_identity(earlier)
    if wanted != found:
        raise ConfigError(
            f"run {run.name}: expected its own task, {found}, found {wanted}; give its task=..., or "
            "choose another run_name"
        )


def task_name(config: Mapping[str, Any]) -> str:
    """Return a short name for the configured task, fit for a run's name: `peg_insert`."""
    task = config.get("task", {})
    task = task if isinstance(task, Mapping) else {}
    module = str(task.get("entry_point", "run")).partition(":")[0].rpartition(".")[2]
    arguments = task.get("arguments")
    # Gymnasium's registry has ids. Arguments that are no mapping are refused when the settings are built.
    name = str(arguments.get("id", module)) if isinstance(arguments, Mapping) else module
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:MAX_STEM] or "run"


def seed_for(seed: int, what: str) -> int:
    """Return a seed for one purpose, independent of the seeds for other purposes."""
    return int(np.random.SeedSequence((seed, zlib.crc32(what.encode()))).generate_state(1)[0])


def with_alias(overrides: Sequence[str], short: str, key: str) -> list[str]:
    """Return the overrides with `short=value` written as `key=value`."""
    prefix = f"{short}="
    return [key + override[len(short) :] if override.startswith(prefix) else override for override in overrides]

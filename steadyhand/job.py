"""One run: its composed configuration, the overrides that it came from, and its folder."""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from steadyhand.actor.config import LoggingConfig
from steadyhand.children import is_child
from steadyhand.config import DemoConfig
from steadyhand.identity import configured_actor_id, identity_of, task_identity
from steadyhand.learner.config import ClassifierConfig, LearnerConfig
from steadyhand.runtime.config import ConfigError, build, compose
from steadyhand.runtime.logging import setup
from steadyhand.runtime.run_folder import RunFolder, new_run_name
from steadyhand.settings import GROUPS, check_settings
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.identity import Identity

__all__ = [
    "Job",
    "check_config",
    "new_job",
    "open_job",
    "quoted",
    "seed_for",
    "task_identity",
    "task_name",
    "with_alias",
]

MAX_STEM = 32


@dataclass(frozen=True)
class Job:
    """What a verb works on."""

    overrides: tuple[str, ...]
    config: dict[str, Any]
    run: RunFolder
    demo: DemoConfig

    @property
    def seed(self) -> int:
        """Return the seed that every other one is derived from."""
        return int(self.config["seed"])

    @property
    def transport(self) -> TransportConfig:
        """Return the link's settings."""
        return build(TransportConfig, self.config["transport"], "transport")

    @property
    def logging(self) -> LoggingConfig:
        """Return what is shown."""
        return build(LoggingConfig, self.config["logging"], "logging")

    @property
    def actor_id(self) -> str:
        """Return the id of the actor that this process is, or records as."""
        return configured_actor_id(self.config)

    @property
    def identity(self) -> Identity:
        """Return the run, the task and the robot, as a HELLO tells them."""
        return identity_of(self.config, self.run)

    def write_manifest(self, **facts: Any) -> None:
        """Say in the run folder what is about to run; a child leaves that to its parent, which knows the whole."""
        if not is_child() or self.run.read_manifest() is None:
            self.run.write_manifest(self.config, {"seed": self.seed}, facts)

    def child_overrides(self, *more: str) -> list[str]:
        """Return what a child process needs to work on the same run; `more` goes last and wins."""
        given = [override for override in self.overrides if not override.startswith(("run_name=", "run_root="))]
        return [*given, f"run_root={quoted(self.run.path.parent)}", f"run_name={self.run.name}", *more]


def quoted(path: Path) -> str:
    """Write a path as the value of an override: folders may have blanks, brackets and accents in their names."""
    escaped = str(path).replace("\\'", "\\\\'").replace("'", "\\'")
    return f"'{escaped}'"


def open_job(overrides: Sequence[str], create: bool | None = True, any_task: bool = False) -> Job:
    """Compose the configuration, check all of it, open the run folder, and set up logging.

    Args:
        overrides: As on the command line.
        create: True makes a new run where `run_name` names none that is there; False refuses that; None needs no run,
            and refuses only one that is named and not there.
        any_task: Whether the configured task may be another one than the run's, as what it decides is read in the run.

    Raises:
        ConfigError: An override is wrong, or the run was made for another task.
        RunFolderError: The run's name or folder cannot be used.
    """
    config = compose(overrides)
    check_config(config)
    setup(build(LoggingConfig, config["logging"], "logging").level)
    name = config["run_name"]
    named = name is not None and name != ""
    if not named and create is False:
        raise ConfigError("run_name: expected the name of a run, found none; `steadyhand runs` lists them")
    run = RunFolder(
        config["run_root"],
        str(name) if named else new_run_name(task_name(config)),
        False if create is None and named else create,
    )
    if not any_task:
        _check_task(run, config)
    return Job(tuple(overrides), config, run, build(DemoConfig, config["demo"], "demo"))


@contextmanager
def new_job(overrides: Sequence[str]) -> Iterator[Job]:
    """Open a job as `open_job` does; a start that is refused before anything was recorded leaves no run folder."""
    job = open_job(overrides)
    try:
        yield job
    except BaseException:
        job.run.discard()
        raise


def check_config(config: Mapping[str, Any]) -> None:
    """Check every group of a composed configuration.

    Raises:
        ConfigError: A group is missing, a key is unknown, or a number is out of its range.
    """
    groups: dict[str, type[Any]] = {**GROUPS, "learner": LearnerConfig, "demo": DemoConfig}
    groups["classifier"] = ClassifierConfig
    if "torch" in sys.modules:  # a verb that makes networks has imported it; one that deploys a policy must not
        from steadyhand.policies.config import PolicyConfig

        groups["policy"] = PolicyConfig
    check_settings(config, groups)
    if "torch" in sys.modules:
        from steadyhand.learner.algos.algorithm import find_algorithm

        find_algorithm(config["algo"])
        find_algorithm(config["demo"]["bc"], "demo.bc")


def _check_task(run: RunFolder, config: Mapping[str, Any]) -> None:
    """Refuse another task than that of the run's earlier starts: records and policy are of that one."""
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
    module = str(task.get("entry_point", "run")).partition(":")[0].rpartition(".")[2]
    arguments = task.get("arguments")
    # Gymnasium's own registry has ids; arguments that are no mapping are refused where they are built.
    name = str(arguments.get("id", module)) if isinstance(arguments, Mapping) else module
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:MAX_STEM] or "run"


def seed_for(seed: int, what: str) -> int:
    """Return a seed for one purpose, independent of those for others."""
    return int(np.random.SeedSequence((seed, zlib.crc32(what.encode()))).generate_state(1)[0])


def with_alias(overrides: Sequence[str], short: str, key: str) -> list[str]:
    """Return the overrides with `short=value` written as `key=value`."""
    prefix = f"{short}="
    return [key + override[len(short) :] if override.startswith(prefix) else override for override in overrides]

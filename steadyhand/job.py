"""One run: its composed configuration, the overrides that it came from, and its folder."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from actor.config import LoggingConfig
from runtime.config import ConfigError, build, compose
from runtime.logging import setup
from runtime.run_folder import RunFolder, new_run_name
from steadyhand.children import is_child
from steadyhand.config import DemoConfig
from transport.config import TransportConfig

__all__ = ["Job", "open_job", "quoted", "seed_for", "task_name", "with_alias"]

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

    def write_manifest(self, **facts: Any) -> None:
        """Say in the run folder what is about to run; a child leaves that to its parent, which knows the whole."""
        if not is_child():
            self.run.write_manifest(self.config, {"seed": self.seed}, facts)

    def child_overrides(self, *more: str) -> list[str]:
        """Return what a child process needs to work on the same run; `more` goes last and wins."""
        given = [override for override in self.overrides if not override.startswith(("run_name=", "run_root="))]
        return [*given, f"run_root={quoted(self.run.path.parent)}", f"run_name={self.run.name}", *more]


def quoted(path: Path) -> str:
    """Write a path as the value of an override: folders may have blanks, brackets and accents in their names."""
    escaped = str(path).replace("\\'", "\\\\'").replace("'", "\\'")
    return f"'{escaped}'"


def open_job(overrides: Sequence[str], create: bool = True) -> Job:
    """Compose the configuration, open the run folder, and set up logging.

    Args:
        overrides: As on the command line.
        create: Whether a new run may be made; otherwise `run_name` must name one that is there.

    Raises:
        ConfigError: An override is wrong.
        RunFolderError: The run's name or folder cannot be used.
    """
    config = compose(overrides)
    seed = config["seed"]
    if type(seed) is not int or seed < 0:
        raise ConfigError(f"seed: expected a whole number of at least 0, found {seed!r}")
    demo = build(DemoConfig, config["demo"], "demo")
    setup(build(LoggingConfig, config["logging"], "logging").level)
    name = config["run_name"] or new_run_name(task_name(config))
    return Job(tuple(overrides), config, RunFolder(config["run_root"], str(name), create), demo)


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

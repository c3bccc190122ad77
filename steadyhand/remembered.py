"""The overrides that a run was started with, so that a later command needs only the run's name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from steadyhand.runtime.component import KEY
from steadyhand.runtime.config import CONFIG_VARIABLE, compose, use_config_dir
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.settings import RUN, run_root

__all__ = ["CONFIG_DIR", "OVERRIDES", "recorded_config", "remembered_overrides", "with_run"]

OVERRIDES, CONFIG_DIR = "overrides", "config_dir"  # keys of a manifest
EARLIER = re.compile(r"manifest\.(\d+)\.json")  # of earlier starts
EXPERIMENT = "experiment"  # a group that chooses options of the others
# What a policy was trained with and needs again: the task, the cell, the observation, the network and the operator.
GROUPS = (
    "task",
    "robot",
    "gripper",
    "homing",
    "gap",
    "camera",
    "sensor",
    "device",
    "safety",
    "calibration",
    "reward",
    "policy",
    EXPERIMENT,
)


def with_run(overrides: Sequence[str]) -> list[str]:
    """Return the overrides of a command after those of the run that they name.

    A group that the command chooses itself, such as `task=reach`, hides what the run remembers of it, and a single
    value wins over the remembered one. Without a run, or without a manifest of it, the overrides are returned as they
    are.

    Raises:
        ConfigError: The run's name or folder cannot be read from the overrides.
        RunFolderError: The run does not exist, or its manifest is damaged.
    """
    config = compose([word for word in overrides if _key(word) in RUN])
    if not config["run_name"]:
        return list(overrides)
    run = RunFolder(run_root(config), str(config["run_name"]), create=None)
    starts = _starts(run) if run.path.is_dir() else []
    folder = next((start[CONFIG_DIR] for start in reversed(starts) if start.get(CONFIG_DIR)), None)
    if isinstance(folder, str) and CONFIG_VARIABLE not in os.environ and Path(folder).is_dir():
        use_config_dir(folder)
    return _merged([remembered_overrides(start) for start in starts], overrides)


def remembered_overrides(manifest: Mapping[str, Any]) -> list[str]:
    """Return the overrides of one start that a later command needs.

    A manifest of an earlier release has none; then they are the words of its command.
    """
    words = manifest.get(OVERRIDES)
    if not isinstance(words, list):
        words = [word for word in _list(manifest.get("command"))[1:] if "=" in str(word)]
    return [str(word) for word in words if not str(word).startswith("-") and _group(str(word)) in GROUPS]


def recorded_config(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the configuration of a manifest; None if it has none.

    A setting that a later release has added has the value that it has now, where the run chose the same part.
    """
    config = manifest.get("config")
    if not isinstance(config, dict):
        return None
    return _completed(config, compose(remembered_overrides(manifest)))


def _completed(recorded: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    if recorded.get(KEY) != present.get(KEY):
        return dict(recorded)
    completed = {**present, **recorded}
    for key in recorded.keys() & present.keys():
        if isinstance(recorded[key], Mapping) and isinstance(present[key], Mapping):
            completed[key] = _completed(recorded[key], present[key])
    return completed


def _merged(starts: Iterable[Sequence[str]], given: Sequence[str]) -> list[str]:
    """Return the overrides of all starts and of the command, the oldest first."""
    merged: list[str] = []
    for words in (*starts, given):
        chosen = {_key(word) for word in words}
        kept = [] if EXPERIMENT in chosen else [word for word in merged if _group(word) not in chosen]
        merged = [*(word for word in kept if _key(word) not in chosen), *words]
    return merged


def _starts(run: RunFolder) -> list[Mapping[str, Any]]:
    """Return the manifests of a run, the oldest first."""
    numbered = [(int(match[1]), path.name) for path in run.path.iterdir() if (match := EARLIER.fullmatch(path.name))]
    found = [run.read_manifest(name) for _, name in sorted(numbered)]
    return [one for one in (*found, run.read_manifest()) if one is not None]


def _key(word: str) -> str:
    return word.lstrip("+~").partition("=")[0].partition("@")[0]


def _group(word: str) -> str:
    return _key(word).partition(".")[0]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

"""The run and the task that a recording came from, and the seeds of its starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from steadyhand.actor_id import task_identity
from steadyhand.pipeline.recorded_episode import ReplayError
from steadyhand.runtime.run_folder import MANIFEST, RunFolder
from steadyhand.transport.demo_set import is_demo_set, read_manifest

__all__ = ["check_recorded_task", "recorded_seeds", "run_of"]


def run_of(folder: Path) -> RunFolder | None:
    """Return the run that a recording is in; None for a folder elsewhere."""
    for parent in folder.resolve().parents:
        if (parent / MANIFEST).is_file() and (parent / "checkpoints").is_dir():
            return RunFolder(parent.parent, parent.name, create=False)
    return None


def recorded_seeds(run: RunFolder | None, seed: int) -> list[int]:
    """Return the seeds with which a run was started, and `seed` last; each once."""
    starts = [] if run is None else [run.read_manifest(path.name) for path in sorted(run.path.glob("manifest*.json"))]
    seeds = [one for one in map(_seed, starts) if one is not None]
    return list(dict.fromkeys([*seeds, seed]))


def check_recorded_task(folder: Path, run: RunFolder | None, task: Mapping[str, Any]) -> None:
    """Refuse a recording of another task than the configured one; a recording that names none is accepted.

    Raises:
        ReplayError: The task is another one.
    """
    recorded: Any = read_manifest(folder).task if is_demo_set(folder) else None
    if recorded is None and run is not None:
        recorded = (run.read_manifest() or {}).get("config", {}).get("task")
    if not isinstance(recorded, Mapping):
        return
    found, expected = task_identity(recorded), task_identity(task)
    if found != expected:
        raise ReplayError(f"{folder}: expected a recording of the task {expected}, found {found}; give its task")


def _seed(manifest: Mapping[str, Any] | None) -> int | None:
    seed = (manifest or {}).get("seeds", {}).get("seed")
    return seed if isinstance(seed, int) else None

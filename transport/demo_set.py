"""A demo set: a log folder with a readable `manifest.json` beside its segments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from steadyhand.runtime.logging import quoted
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.transport.foreign_data import advice, foreign_data
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.record import Kind
from steadyhand.transport.schema import Schema

__all__ = ["DemoManifest", "DemoSetError", "count_episodes", "is_demo_set", "mean_steps", "read_manifest"]
__all__ += ["refuse_foreign", "write_manifest"]

MANIFEST = "manifest.json"


class DemoSetError(ValueError):
    """A folder that is not a usable demo set."""


@dataclass(frozen=True)
class DemoManifest:
    """Manifest of a demo set: the facts to check before training on it."""

    schema: Schema
    episodes: int
    successes: int
    steps: int
    task: dict[str, Any]  # the task's resolved configuration
    actor_id: str
    session_id: str
    date: str  # ISO 8601, UTC
    expert: str  # the person or the scripted expert that demonstrated
    # Settings of the task that only fix where episodes begin; None: recorded by a release that did not note them.
    episode_settings: tuple[str, ...] | None = None
    reward: dict[str, Any] | None = None  # resolved configuration of the reward; None: the task's own outcome


def is_demo_set(folder: Path) -> bool:
    """Return whether `folder` has a manifest."""
    return (folder / MANIFEST).is_file()


def write_manifest(folder: Path, manifest: DemoManifest) -> None:
    """Write `manifest.json` into a log's folder, whole or not at all."""
    facts = {name: getattr(manifest, name) for name in manifest.__dataclass_fields__}
    atomic_write_json(folder / MANIFEST, facts | {"schema": manifest.schema.to_json()})


def read_manifest(folder: Path) -> DemoManifest:
    """Read the manifest of the demo set in `folder`.

    Raises:
        DemoSetError: There is none, or it is not a manifest. The error names the format of another package's data.
    """
    refuse_foreign(folder)
    try:
        facts = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=dict[str, Any])
        schema = Schema.from_json(facts["schema"])
        return msgspec.convert({**facts, "schema": schema}, DemoManifest, strict=True)
    except (OSError, KeyError, TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise DemoSetError(
            f"{folder}: expected a demo set with {MANIFEST}, found {quoted(str(error), 160)}; record one with "
            "`steadyhand record`"
        ) from None


def mean_steps(folder: Path) -> float | None:
    """Return the mean length of a set's episodes [steps]; None without a set, or in an empty one.

    Raises:
        DemoSetError: The manifest cannot be read.
    """
    manifest = read_manifest(folder) if is_demo_set(folder) else None
    return manifest.steps / manifest.episodes if manifest and manifest.episodes else None


def refuse_foreign(path: Path) -> None:
    """Refuse a place without a manifest that holds another package's data.

    Raises:
        DemoSetError: It holds such data; the line names the format and the remedy.
    """
    if not is_demo_set(path) and (found := foreign_data(path)):
        raise DemoSetError(f"{path}: expected a demo set with {MANIFEST}, found {found}; {advice(found, path)}")


def count_episodes(reader: LogReader) -> tuple[int, int, int]:
    """Return (episodes, successes, steps) of a log; an episode is a success when any of its records is marked so."""
    rows = np.arange(len(reader))
    episode_id, success = reader.gather(rows, "episode_id"), reader.gather(rows, "success")
    steps = int(np.count_nonzero(reader.gather(rows, "kind") == Kind.STEP))
    return len(np.unique(episode_id)), len(np.unique(episode_id[success])), steps

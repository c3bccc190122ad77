"""The parts of an earlier run: its checkpoint, demonstrations, practice logs and classifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steadyhand.earlier.settings import CLASSIFIER, DEMOS, PARTS, PRACTICE, WEIGHTS, EarlierConfig
from steadyhand.learner.checkpoint import Checkpoint, CheckpointError, CheckpointFolder, read_checkpoint
from steadyhand.learner.prior import PriorDataError
from steadyhand.runtime.run_folder import MANIFEST, RunFolder, RunFolderError
from steadyhand.transport import log_folder
from steadyhand.transport.demo_set import is_demo_set, read_manifest
from steadyhand.transport.log import LogReader
from steadyhand.transport.run_identity import UNKNOWN, Identity, read_identity
from steadyhand.transport.schema import Schema

__all__ = ["EarlierRun", "find_run", "lacks", "open_earlier"]


@dataclass(frozen=True)
class EarlierRun:
    """An earlier run, with the parts that are to be taken from it.

    Attributes:
        folder: Its folder.
        manifest: The manifest of its newest start.
        parts: Names of the parts to take.
        checkpoint: The checkpoint that gives the weights; None = none is taken.
        demos: Its demo sets, as far as they are taken.
        logs: Its practice logs, one folder per session, as far as they are taken.
    """

    folder: Path
    manifest: Mapping[str, Any]
    parts: tuple[str, ...]
    checkpoint: Checkpoint | None
    demos: tuple[Path, ...]
    logs: tuple[Path, ...]

    @property
    def name(self) -> str:
        """Return the name of the run."""
        return self.folder.name

    @property
    def config(self) -> Mapping[str, Any]:
        """Return its resolved configuration."""
        return dict(self.manifest.get("config", {}))

    def schema(self) -> Schema | None:
        """Return the schema of its records; of a checkpoint, only the part that its policy reads; None without both."""
        if self.demos:
            return read_manifest(self.demos[0]).schema
        if self.logs:
            reader = LogReader(self.logs[0])
            reader.close()
            return reader.schema
        return None if self.checkpoint is None else Schema.from_json(self.checkpoint.facts["schema"])

    def identity(self) -> Identity:
        """Return its task and its robot, as far as weights and records know them."""
        found = UNKNOWN
        if self.checkpoint is not None:
            found = found.filled(Identity.from_json(self.checkpoint.facts.get("identity", {})))
        for folder in (*self.demos, *self.logs):
            found = found.filled(read_identity(folder))
        return found


def open_earlier(config: EarlierConfig, run_root: Path, has_weights: bool) -> EarlierRun:
    """Find the parts to take in the run that the settings name.

    Args:
        config: The settings, with a run.
        run_root: Folder of the runs, for a run that is given by its name.
        has_weights: True if the new run has a checkpoint of its own, so that no other is looked for.

    Raises:
        PriorDataError: There is no such run, or it lacks a part; the line says which.
        CheckpointError: Every checkpoint of the run is damaged.
    """
    place, run = find_run(config, run_root)
    checkpoint = None
    taken = config.parts
    if WEIGHTS in taken and not has_weights:
        checkpoint = _checkpoint(place, run.path, config)
    demos = tuple(one for one in (run.demos, *sorted(run.demos.glob("*"))) if is_demo_set(one))
    logs = tuple(path for path in sorted(run.log.glob("*")) if path.is_dir() and log_folder.paths(path))
    for part, found in ((DEMOS, demos), (PRACTICE, logs)):
        if part in taken and not found:
            raise PriorDataError(lacks(run.path, part, config))
    return EarlierRun(
        run.path,
        run.read_manifest() or {},
        taken,
        checkpoint,
        demos if DEMOS in taken else (),
        logs if PRACTICE in taken else (),
    )


def find_run(config: EarlierConfig, run_root: Path) -> tuple[Path, RunFolder]:
    """Return the place that the settings name, and the run there or around it.

    Raises:
        PriorDataError: There is no run.
    """
    text = str(config.run)
    path, named = Path(text).expanduser(), run_root.expanduser() / text
    place = named if not path.exists() and named.is_dir() else path
    whole = place.resolve()
    for folder in (whole, whole.parent.parent):
        if (folder / MANIFEST).is_file() and (folder / "checkpoints").is_dir():
            try:
                return place, RunFolder(folder.parent, folder.name, create=None)
            except RunFolderError as error:
                raise PriorDataError(f"earlier.run={place}: {error}") from None
    raise PriorDataError(
        f"earlier.run={place}: expected a run folder, the name of a run below run_root, or a checkpoint in a run "
        "folder, found none; `steadyhand runs` lists the runs"
    )


def _checkpoint(place: Path, run: Path, config: EarlierConfig) -> Checkpoint:
    if place.resolve() != run:
        try:
            return read_checkpoint(place.resolve())
        except CheckpointError as error:
            raise PriorDataError(f"earlier.run={error}") from None
    found = CheckpointFolder(run / "checkpoints", keep=1).newest()
    if found is None:
        raise PriorDataError(lacks(run, WEIGHTS, config))
    return found


def lacks(run: Path, part: str, config: EarlierConfig) -> str:
    """Return one line saying that a run has no such part, and what may be taken from it."""
    wanted = {
        WEIGHTS: "a checkpoint in",
        DEMOS: "demonstrations in",
        PRACTICE: "practice logs in",
        CLASSIFIER: "reward=classifier in the manifest of",
    }[part]
    rest = ",".join(one for one in PARTS if one in config.take and one != part)
    advice = f"take the rest with earlier.take=[{rest}]" if rest else "choose another run"
    return f"earlier.run={run}: expected {wanted} it, found none; {advice}"

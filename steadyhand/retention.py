"""Pruning and archiving of runs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from steadyhand.earlier.note import NOTE, read_earlier
from steadyhand.earlier.settings import WEIGHTS
from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.runtime.run_lock import run_lock
from steadyhand.storage import RunInUseError, outboxes, waiting_records
from steadyhand.transport import log_folder
from steadyhand.transport.ack_file import unacknowledged
from steadyhand.transport.demo_set import is_demo_set

__all__ = ["archive", "archive_path", "check_disposable", "claimed", "prunable"]

CHUNK_BYTES = 1 << 20


@contextlib.contextmanager
def claimed(run: RunFolder) -> Iterator[None]:
    """Keep learner and actors away from a run while the context lasts.

    Raises:
        RunLockError: A learner or an actor works on the run.
    """
    with run_lock(run.path, "learner"), run_lock(run.path, "actor"):
        yield


def prunable(run: RunFolder) -> list[Path]:
    """Return the superfluous paths of a run: logs that the learner holds completely, older checkpoints, features.

    Never included are records that only the actor has, demonstrations, and the learner's own logs.

    Raises:
        CheckpointError: No checkpoint is intact, so none is superfluous.
        LogError: A log is damaged, so the learner's share of it is unknown.
    """
    newest = CheckpointFolder(run.checkpoints, keep=1).newest()
    found = []
    if newest is not None:
        found += [path for path in run.checkpoints.glob("step-*") if path != newest.folder]
        found += run.checkpoints.glob("tmp-*")
    found += [run.features] if run.features.is_dir() else []  # a learner that continues rebuilds them
    for folder in [path for outbox in outboxes(run) for path in sorted(outbox.iterdir())]:
        held = run.log / folder.name
        if folder.is_dir() and log_folder.paths(folder) and held.is_dir() and not unacknowledged(folder)[0]:
            found.append(folder)
    return found


def archive_path(run: RunFolder) -> Path:
    """Return the path of the run's archive, which may not exist yet."""
    return run.path.with_name(f"{run.name}.tar.gz")


def archive(run: RunFolder) -> Path:
    """Pack a run into one file beside it and compare every byte of it; the run stays.

    Raises:
        RunInUseError: The archive differs from the run; it has been removed.
        OSError: The disk is full; no partial archive remains.
    """
    path, temporary = archive_path(run), run.path.with_name(f".{run.name}.tar.gz.tmp")
    try:
        with tarfile.open(temporary, "w:gz") as packed:
            packed.add(run.path, run.name)
        if not _is_whole(temporary, run):
            raise RunInUseError(f"{run.path}: it has changed while it was packed; try again when nothing works on it")
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def check_disposable(run: RunFolder) -> None:
    """Refuse to delete a run if that would lose the only copy of some data, or the data that another run reads.

    Raises:
        RunInUseError: The run has demonstrations, or records that the learner does not hold, and no archive of them; or
            a run beside it started from it, and reads its records at each start of the learner.
        LogError: A log is damaged.
    """
    if readers := _readers(run):
        raise RunInUseError(
            f"{run.path}: {', '.join(readers)} started from it and read{'s' * (len(readers) == 1)} its records; "
            "delete what started from it first, or keep both"
        )
    path = archive_path(run)
    if path.exists() and _is_whole(path, run):
        return
    waiting = waiting_records(run)
    reasons = [f"{waiting} records that the learner is not known to hold"] if waiting else []
    reasons += ["demonstrations"] if any(map(is_demo_set, _demo_folders(run))) else []
    if reasons:
        raise RunInUseError(f"{run.path}: it has {' and '.join(reasons)}; `steadyhand runs archive {run.name}` first")


def _readers(run: RunFolder) -> list[str]:
    """Return the names of the runs beside this one that took records of it, or its classifier."""
    beside = (path.parent for path in run.path.parent.glob(f"*/{NOTE}"))
    taken = {path.name: read_earlier(path) for path in beside if path != run.path}
    return sorted(
        name
        for name, earlier in taken.items()
        if earlier and Path(earlier["folder"]).resolve() == run.path.resolve() and set(earlier["take"]) != {WEIGHTS}
    )


def _demo_folders(run: RunFolder) -> list[Path]:
    return [run.demos, *run.demos.glob("*"), run.failed_demos, run.examples]


def _is_whole(path: Path, run: RunFolder) -> bool:
    """Return whether an archive holds every file of the run in its current state."""
    files = {str(Path(run.name) / one.relative_to(run.path)): one for one in run.path.rglob("*") if one.is_file()}
    found = set()
    try:
        with tarfile.open(path, "r:gz") as packed:
            for member in packed:
                content = packed.extractfile(member) if member.isfile() else None
                if content is not None and member.name in files:
                    with files[member.name].open("rb") as file:
                        if _digest(content) == _digest(file):
                            found.add(member.name)
    except (OSError, tarfile.TarError, EOFError):
        return False
    locks = {name for name in files if name.endswith(".lock")}  # they only name the processes that use the run now
    return found >= files.keys() - locks


def _digest(file: IO[bytes]) -> bytes:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.digest()

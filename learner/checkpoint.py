"""Checkpoints: folders that appear complete or not at all, and are read only when every byte matches its checksum."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steadyhand.runtime.crashpoint import crashpoint
from steadyhand.runtime.logging import get_logger
from steadyhand.runtime.run_folder import make_folder, sync_folder

__all__ = ["Checkpoint", "CheckpointError", "CheckpointFolder"]

EARLIER = "earlier-"  # prefix of a checkpoint that is being replaced
MANIFEST, DIGEST = "manifest.json", "manifest.sha256"
FORMAT = 2
UNSIGNED_FORMAT = 1  # the same without the manifest's own checksum; still read
FOLDER = re.compile(r"step-(\d{12})")
FILE = re.compile(r"[a-z0-9][a-z0-9_-]*\.(json|safetensors)")  # a manifest never names a file elsewhere

logger = get_logger("learner.checkpoint")


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be used."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose files all match its manifest."""

    step: int
    folder: Path
    facts: dict[str, Any]
    files: dict[str, bytes]


class CheckpointFolder:
    """The checkpoints of one run.

    Args:
        folder: Folder with one folder per checkpoint.
        keep: Number of newest checkpoints that stay; older ones are deleted.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self.folder = folder
        self._keep = keep

    def save(self, step: int, files: Mapping[str, bytes], facts: Mapping[str, Any]) -> Path:
        """Write a checkpoint. It appears only when its folder is renamed at the end.

        Raises:
            OSError: The disk is full, for example. Earlier checkpoints are untouched.
        """
        path, temporary = self.folder / f"step-{step:012d}", self.folder / f"tmp-{step:012d}"
        earlier = self.folder / f"{EARLIER}{step:012d}"  # the checkpoint of this step, until the new one is there
        shutil.rmtree(temporary, ignore_errors=True)  # a crash has left it behind
        try:
            make_folder(self.folder)
            temporary.mkdir()
            crashpoint("checkpoint.begun")
            for name, data in files.items():
                _write(temporary / name, data)
                crashpoint("checkpoint.file")
            manifest = {"format": FORMAT, "step": step, "facts": dict(facts)}
            manifest["files"] = {name: {"bytes": len(data), "sha256": _sha256(data)} for name, data in files.items()}
            text = json.dumps(manifest, indent=2).encode()
            _write(temporary / MANIFEST, text)
            _write(temporary / DIGEST, _sha256(text).encode())
            crashpoint("checkpoint.manifest")
            sync_folder(temporary)
            crashpoint("checkpoint.synced")
            if path.exists():
                shutil.rmtree(earlier, ignore_errors=True)
                path.rename(earlier)
            temporary.rename(path)
            crashpoint("checkpoint.renamed")
            sync_folder(self.folder)
            crashpoint("checkpoint.whole")
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            self._put_back(earlier)
            raise
        shutil.rmtree(earlier, ignore_errors=True)
        for old in self._folders()[self._keep :]:
            shutil.rmtree(old, ignore_errors=True)
            crashpoint("checkpoint.pruned")
        return path

    def clean(self) -> None:
        """Delete checkpoints that a crash has left incomplete. Only for the one process that saves."""
        for path in self.folder.glob(f"{EARLIER}*"):
            self._put_back(path)
        for path in self.folder.glob("tmp-*"):
            logger.warning("%s: a checkpoint that a crash has cut short, deleted", path)
            shutil.rmtree(path, ignore_errors=True)

    def _put_back(self, earlier: Path) -> None:
        """Give a checkpoint that was to be replaced its name again, unless the new one has it."""
        path = self.folder / earlier.name.replace(EARLIER, "step-")
        with contextlib.suppress(OSError):
            if path.exists():
                shutil.rmtree(earlier)
            elif earlier.exists():
                earlier.rename(path)

    def newest(self) -> Checkpoint | None:
        """Read the newest checkpoint that verifies; None when the run has none at all.

        Raises:
            CheckpointError: There are checkpoints, and every one is damaged. Training must not start over silently.
        """
        folders = self._folders()
        for folder in folders:
            try:
                return read_checkpoint(folder)
            except CheckpointError as error:
                logger.error("%s; it is left out", error)
        if folders:
            raise CheckpointError(
                f"{self.folder}: expected a checkpoint that verifies, found {len(folders)} damaged; "
                "restore one, or move them away to start over"
            )
        return None

    def _folders(self) -> list[Path]:
        found = [path for path in self.folder.iterdir() if FOLDER.fullmatch(path.name)] if self.folder.exists() else []
        return sorted(found, reverse=True)


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read one checkpoint and check every byte of it.

    Raises:
        CheckpointError: A file is missing or altered.
    """
    try:
        text = (folder / MANIFEST).read_bytes()
        manifest = json.loads(text)
        if manifest["format"] not in (UNSIGNED_FORMAT, FORMAT):
            raise CheckpointError(f"{folder}: expected checkpoint format {FORMAT}, found {manifest['format']}")
        if manifest["format"] == FORMAT and (folder / DIGEST).read_bytes() != _sha256(text).encode():
            raise CheckpointError(f"{folder}: {MANIFEST} is not as it was written")
        if manifest["step"] != _step(folder):
            raise CheckpointError(f"{folder}: expected step {_step(folder)}, found {manifest['step']}")
        files = {}
        for name, expected in manifest["files"].items():
            if FILE.fullmatch(name) is None:
                raise CheckpointError(f"{folder}: expected plain file names, found {name!r} in its manifest")
            files[name] = (folder / name).read_bytes()
            if len(files[name]) != expected["bytes"] or _sha256(files[name]) != expected["sha256"]:
                raise CheckpointError(f"{folder}: {name} is not as it was written")
        return Checkpoint(int(manifest["step"]), folder, dict(manifest["facts"]), files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{folder}: expected a whole checkpoint, found {type(error).__name__}: {error}") from None


def _step(folder: Path) -> int | None:
    named = FOLDER.fullmatch(folder.name)
    return None if named is None else int(named[1])


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

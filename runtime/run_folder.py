"""The folder of one run: a safe name, four subfolders, one folder an actor, and a manifest."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steadyhand.runtime.clock import utc_text, wall_time_ns
from steadyhand.runtime.logging import quoted
from steadyhand.runtime.provenance import provenance

__all__ = [
    "ActorFolder",
    "RunFolder",
    "RunFolderError",
    "atomic_write_bytes",
    "atomic_write_json",
    "check_name",
    "make_folder",
    "new_run_id",
    "new_run_name",
    "sync_folder",
]

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
MANIFEST = "manifest.json"
MANIFEST_FORMAT = 1
OBJECTS = ("config", "seeds")  # keys of a manifest whose values are objects
RUN_ID = re.compile(r"[0-9a-f]{32}")
RUN_ID_BYTES = 16


class RunFolderError(ValueError):
    """A run name or a run folder that cannot be used."""


@dataclass(frozen=True)
class ActorFolder:
    """`<run>/actors/<actor id>/`: everything that one actor writes into a run."""

    path: Path

    @property
    def actor_id(self) -> str:
        """Return the id of the actor."""
        return self.path.name

    @property
    def outbox(self) -> Path:
        """Return the folder of the actor's logs, which has one folder per session."""
        return self.path / "outbox"

    @property
    def metrics(self) -> Path:
        """Return the metrics file, which has one row per episode."""
        return self.path / "actor.jsonl"


class RunFolder:
    """`<root>/<name>/` with `log/ demos/ checkpoints/ metrics/ actors/` and `manifest.json`.

    The root may be a link that its owner set up (a `runs` on a larger disk); nothing below it may be one, so a run
    never writes outside its own folder. Opening an existing run resumes it.
    """

    def __init__(self, root: str | Path, name: str, create: bool | None = True) -> None:
        """Make the folder, or find it.

        Args:
            root: Folder of the runs.
            name: Name of this run.
            create: True makes what is missing, False refuses a run that does not exist, None does neither.
        """
        self.name = check_name(name, "run name")
        self.path = _resolved(Path(root)) / self.name
        self.started = False  # whether this object has written a manifest
        if create is False and not self.path.is_dir():
            raise RunFolderError(f"run {self.name}: expected a folder at {self.path}, found none")
        self.log, self.demos = self.path / "log", self.path / "demos"
        self.checkpoints, self.metrics = self.path / "checkpoints", self.path / "metrics"
        self.start = self.path / "start"  # the policy before the first online update; made by the learner
        self.features = self.path / "features"  # made by the first feature cache
        self.failed_demos = self.path / "demos_failed"  # attempts without success; made by the first of them
        self.examples = self.path / "examples"  # of a success classifier; made by `steadyhand reward record`
        self.actors = self.path / "actors"  # made by the first actor
        self._run_id = ""  # of a run that has no manifest yet
        below = (self.path, self.log, self.demos, self.checkpoints, self.metrics)
        above = [path for path in reversed(self.path.parents) if not path.exists()]
        self._made = [path for path in (*above, *below) if create and not os.path.lexists(path)]
        try:
            if create:
                make_folder(self.path.parent)
            for path in below:
                _real_folder(path, bool(create))
        except BaseException:
            self._remove_made()
            raise

    def actor(self, actor_id: str) -> ActorFolder:
        """Make the folder of an actor, or find it.

        Raises:
            RunFolderError: The id cannot be a folder's name, or its place is taken by a file or a link.
        """
        path = self.actors / check_name(actor_id, "actor id")
        self._made += [folder for folder in (self.actors, path) if not os.path.lexists(folder)]
        _real_folder(self.actors, create=True)
        return ActorFolder(_real_folder(path, create=True))

    def actor_folders(self) -> list[ActorFolder]:
        """Return the folders of the actors that have worked on the run here, by their ids."""
        found = sorted(self.actors.iterdir()) if self.actors.is_dir() else []
        return [ActorFolder(path) for path in found if path.is_dir() and not path.is_symlink()]

    @property
    def run_id(self) -> str:
        """Return the id of the run; "" while it has none."""
        found = (self.read_manifest() or {}).get("run_id", self._run_id)
        return found if isinstance(found, str) and RUN_ID.fullmatch(found) else ""

    def keep_run_id(self, run_id: str) -> str:
        """Store the id of the run, unless it has one already; return the id that is valid from now on."""
        with self._held():
            if own := self.run_id:
                return own
            facts = self.read_manifest()
            if facts is not None:
                atomic_write_json(self.path / MANIFEST, facts | {"run_id": run_id})
            self._run_id = run_id
            return run_id

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """Hold a lock that keeps other processes from writing the manifest."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def discard(self) -> None:
        """Remove the folders that this object has made, unless the run holds a file. A refused start leaves nothing.

        The lock of a process that works on the run counts as a file.
        """
        if all(path.is_dir() for path in self.path.rglob("*")):
            self._remove_made()

    def _remove_made(self) -> None:
        for path in reversed(self._made):
            with contextlib.suppress(OSError):
                path.rmdir()

    def write_manifest(
        self, config: Mapping[str, Any], seeds: Mapping[str, int], extra: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Write `manifest.json`: the software that ran, its resolved config and seeds, and the machine.

        The manifest of an earlier start is kept as `manifest.<n>.json`, so a resumed run shows what each start ran.

        Args:
            config: The resolved configuration, as plain containers.
            seeds: The seeds by the name of what they seed.
            extra: More facts under their own keys (calibration hashes, the controller's profile).
        """
        facts = {"format": MANIFEST_FORMAT, "run_name": self.name, **provenance()}
        facts |= {"seeds": dict(seeds), "config": dict(config)}
        taken = facts.keys() & (extra or {}).keys()
        if taken:
            raise RunFolderError(f"manifest: expected new keys in extra, found {', '.join(sorted(taken))}")
        facts |= extra or {}
        path = self.path / MANIFEST
        with self._held():
            if run_id := self.run_id:
                facts["run_id"] = run_id
            if path.exists():
                earlier = len(list(self.path.glob("manifest.*.json")))
                atomic_write_bytes(self.path / f"manifest.{earlier + 1}.json", path.read_bytes())
            atomic_write_json(path, facts)
        self.started = True
        return facts

    def read_manifest(self, name: str = MANIFEST) -> dict[str, Any] | None:
        """Return the manifest of the newest start, or the one of that file name; None when the run has none yet."""
        path = self.path / name
        if not path.exists():
            return None
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise RunFolderError(f"{path}: expected a manifest that can be read, found {error.strerror}") from None
        except (ValueError, RecursionError) as error:
            found = quoted(str(error), 160)
            raise RunFolderError(f"{path}: expected JSON, found {found}; restore it or remove the file") from None
        inside = [facts[key] for key in OBJECTS if key in facts] if isinstance(facts, dict) else []
        for value in (facts, *inside):
            if not isinstance(value, dict):
                raise RunFolderError(f"{path}: expected a JSON object, found {type(value).__name__}; restore the file")
        return dict(facts)


def check_name(name: str, what: str = "name") -> str:
    """Return `name` when it may be a file's name: lower case, no separator, no `..`, at most 64 characters."""
    if not isinstance(name, str) or NAME.fullmatch(name) is None or ".." in name:
        raise RunFolderError(
            f"{what}: expected 1 to 64 of a-z 0-9 _ . - starting with a letter or digit, without '..'; "
            f"found {quoted(name)}"
        )
    return name


def new_run_id() -> str:
    """Return a fresh id of a run."""
    return secrets.token_hex(RUN_ID_BYTES)


def new_run_name(stem: str) -> str:
    """Return a fresh run name, such as `peg_insert-20250131-120000-4f1a`, from a short stem."""
    stamp = re.sub(r"[-:Z]", "", utc_text(wall_time_ns())).replace("T", "-")
    return check_name(f"{stem}-{stamp}-{secrets.token_hex(2)}", "run name")


def atomic_write_json(path: Path, value: Any) -> None:
    """Write `value` as readable JSON; see `atomic_write_bytes`. NaN and infinity are refused: they are not JSON."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    atomic_write_bytes(path, f"{text}\n".encode())


def atomic_write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a crash or a power cut leaves either the old file or the new one, complete."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder with its parents, or find it; its name survives a power cut from then on.

    Raises:
        OSError: The disk is full, or refuses.
    """
    missing = [path for path in folder.parents if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in (folder, *missing):
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _resolved(root: Path) -> Path:
    try:
        return root.expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise RunFolderError(f"run root: expected a folder's path, found {quoted(str(root))} ({error})") from None


def _real_folder(path: Path, create: bool) -> Path:
    """Return `path` if it is a folder, making it when `create` is True; refuse a link or a file."""
    if create:
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            sync_folder(path.parent)
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        found = "a symbolic link" if path.is_symlink() else "a file"
        raise RunFolderError(f"{path}: expected a folder, found {found}; remove it or choose another run name")
    return path

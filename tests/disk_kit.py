"""A disk between the product and the real one: it counts calls, lets chosen ones fail, and keeps their history.

Only calls below its folder pass through it. What is written reaches the real folder at once, so the product reads it
back as from the page cache; the history tells what a power cut would leave (`power_kit`).
"""

from __future__ import annotations

import errno
import io
import os
import pathlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from tests.pool_kit import Pool

WRITES = ("write", "pwrite", "pwritev")
# Calls that a disk without room refuses, and calls that a failing disk refuses.
NEED_ROOM = (*WRITES, "posix_fallocate", "fsync", "mkdir", "create", "rename")
FALLIBLE = (*NEED_ROOM, "open", "ftruncate", "unlink", "rmdir", "pread", "read", "listdir", "mark")


@dataclass(frozen=True)
class Plan:
    """Which calls fail, and how.

    `kind` is ENOSPC, EIO or short (half of a write is done, and said so). `lasting` makes all later ones fail too.
    """

    at: int
    kind: str
    lasting: bool = False
    only: str = ""  # the one kind of call that may fail; "" = all that do with this kind of failure

    @property
    def names(self) -> tuple[str, ...]:
        if self.only:
            return (self.only,)
        return {"ENOSPC": NEED_ROOM, "EIO": FALLIBLE, "short": WRITES}[self.kind]


@dataclass(frozen=True)
class Op:
    """One change of the disk: link, unlink, rename, data, size, sync or failed sync of a node."""

    kind: str
    node: int
    folder: int = -1
    name: str = ""
    old_folder: int = -1
    old_name: str = ""
    at: int = 0
    data: bytes = b""


class Disk:
    """A context in which calls below `folder` are counted, fail by `plan`, and are kept in `ops`."""

    def __init__(self, folder: Path, plan: Plan | None = None) -> None:
        self.folder, self.plan = folder.resolve(), plan
        self.calls: dict[str, int] = {}
        self.count = 0  # calls of the kinds that the plan lets fail
        self.failed = 0
        self.quiet = False  # calls of the account itself are neither counted nor refused
        self.full = False  # every call that needs room is refused, as on a full disk
        self.ops: list[Op] = []
        self.names: dict[int, bool] = {}  # node -> whether it is a folder
        self._root = str(self.folder)
        self._nodes: dict[tuple[int, int], int] = {}
        self._real = {name: getattr(os, name) for name in (*_SHADOWED, "fstat", "stat", "lstat", "readlink", "close")}
        self._open = io.open
        self._patches: list[Any] = []
        self._inside = False
        self.snapshot()

    def snapshot(self) -> None:
        """Begin the history with the present content, which counts as synced."""
        self.ops.clear()
        self._nodes.clear()
        self.names.clear()
        self._take_in(self._root)

    def _take_in(self, path: str) -> int:
        node = self._node(self._real["lstat"](path), new=True)
        self.names[node] = os.path.isdir(path)
        if self.names[node]:
            for name in sorted(self._real["listdir"](path)):
                child = self._take_in(f"{path}/{name}")
                self.ops.append(Op("link", child, node, name))
        else:
            with self._open(path, "rb") as file:
                self.ops.append(Op("data", node, data=file.read()))
        self.ops.append(Op("sync", node))
        return node

    # ----------------------------------------------------------------------------------------- names

    def _node(self, found: os.stat_result, new: bool = False) -> int:
        key = (found.st_dev, found.st_ino)
        if new or key not in self._nodes:
            self._nodes[key] = len(self.names)
            self.names[self._nodes[key]] = False
        return self._nodes[key]

    def _path(self, path: Any, dir_fd: int | None = None) -> str | None:
        """Return an absolute path below the folder; None for any other place."""
        if isinstance(path, int):
            try:
                text = self._real["readlink"](f"/proc/self/fd/{path}")
            except OSError:
                return None
        else:
            text = os.fsdecode(path)
            if dir_fd is not None and not os.path.isabs(text):
                text = os.path.join(self._real["readlink"](f"/proc/self/fd/{dir_fd}"), text)
        return text if text == self._root or text.startswith(self._root + "/") else None

    def _parent(self, path: str) -> tuple[int, str]:
        folder, _, name = path.rpartition("/")
        return self._node(self._real["stat"](folder)), name

    # ----------------------------------------------------------------------------------------- failures

    def _fails(self, name: str) -> str:
        """Count a call; return how it fails, "" if it does not."""
        if self.quiet:
            return ""
        self.calls[name] = self.calls.get(name, 0) + 1
        if self.full and name in NEED_ROOM:
            self.failed += 1
            return "ENOSPC"
        if self.plan is None or name not in self.plan.names:
            return ""
        self.count += 1
        if self.count - 1 == self.plan.at or (self.plan.lasting and self.count - 1 > self.plan.at):
            self.failed += 1
            return self.plan.kind
        return ""

    def _refuse(self, name: str) -> str:
        kind = self._fails(name)
        if kind in ("ENOSPC", "EIO"):
            number = getattr(errno, kind)
            raise OSError(number, os.strerror(number))
        return kind

    # ----------------------------------------------------------------------------------------- calls

    def _do_open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        place = self._path(path, dir_fd)
        if place is None:
            return self._real["open"](path, flags, mode, dir_fd=dir_fd)
        new = bool(flags & os.O_CREAT) and not os.path.lexists(place)
        self._refuse("create" if new else "open")
        fd = self._real["open"](path, flags, mode, dir_fd=dir_fd)
        if new:
            node = self._node(self._real["fstat"](fd), new=True)
            self.ops.append(Op("link", node, *self._parent(place)))
        elif flags & os.O_TRUNC:
            self.ops.append(Op("size", self._node(self._real["fstat"](fd))))
        return fd

    def _written(self, fd: int, at: int, data: bytes) -> None:
        if data:
            self.ops.append(Op("data", self._node(self._real["fstat"](fd)), at=at, data=data))

    def _do_pwritev(self, fd: int, parts: Any, offset: int, *rest: Any) -> int:
        return self._write_at("pwritev", fd, b"".join(bytes(part) for part in parts), offset)

    def _do_pwrite(self, fd: int, data: Any, offset: int) -> int:
        return self._write_at("pwrite", fd, bytes(data), offset)

    def _write_at(self, name: str, fd: int, data: bytes, offset: int) -> int:
        if self._path(fd) is None:
            return self._real["pwrite"](fd, data, offset)
        if self._refuse(name) == "short":
            data = data[: max(1, len(data) // 2)]
        written = self._real["pwrite"](fd, data, offset)
        self._written(fd, offset, data[:written])
        return written

    def _do_write(self, fd: int, data: Any) -> int:
        if self._path(fd) is None:
            return self._real["write"](fd, data)
        data = bytes(data)
        if self._refuse("write") == "short":
            data = data[: max(1, len(data) // 2)]
        written = self._real["write"](fd, data)
        self._written(fd, os.lseek(fd, 0, os.SEEK_CUR) - written, data[:written])
        return written

    def _do_fsync(self, fd: int) -> None:
        if self._path(fd) is None:
            return self._real["fsync"](fd)
        node = self._node(self._real["fstat"](fd))
        try:
            self._refuse("fsync")
        except OSError:
            # As on Linux: a file's pages are clean from now on, and a later fsync does not write them. Names are in the
            # file system's journal, which is written by the next sync or not at all.
            if not self.names[node]:
                self.ops.append(Op("failed sync", node))
            raise
        self.ops.append(Op("sync", node))
        return None

    def _do_ftruncate(self, fd: int, size: int) -> None:
        if self._path(fd) is not None:
            self._refuse("ftruncate")
            self.ops.append(Op("size", self._node(self._real["fstat"](fd)), at=size))
        self._real["ftruncate"](fd, size)

    def _do_posix_fallocate(self, fd: int, offset: int, size: int) -> None:
        if self._path(fd) is None:
            return self._real["posix_fallocate"](fd, offset, size)
        self._refuse("posix_fallocate")
        had = self._real["fstat"](fd)
        if offset + size > had.st_size:
            self.ops.append(Op("size", self._node(had), at=offset + size))
            self._real["ftruncate"](fd, offset + size)
        return None

    def _do_rename(self, source: Any, target: Any, **options: Any) -> None:
        old, new = self._path(source), self._path(target)
        if old is not None and new is not None:
            self._refuse("rename")
            node = self._node(self._real["lstat"](old))
            before, after = self._parent(old), self._parent(new)
            self._real["replace"](source, target, **options)
            self.ops.append(Op("rename", node, *after, *before))
        else:
            self._real["replace"](source, target, **options)

    def _do_unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._remove("unlink", path, dir_fd)

    def _do_rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._remove("rmdir", path, dir_fd)

    def _remove(self, name: str, path: Any, dir_fd: int | None) -> None:
        place = self._path(path, dir_fd)
        if place is not None:
            self._refuse(name)
            op = Op("unlink", -1, *self._parent(place))
            self._real[name](path, dir_fd=dir_fd)
            self.ops.append(op)
        else:
            self._real[name](path, dir_fd=dir_fd)

    def _do_mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        place = self._path(path, dir_fd)
        if place is not None and not os.path.lexists(place):
            self._refuse("mkdir")
            self._real["mkdir"](path, mode, dir_fd=dir_fd)
            node = self._node(self._real["lstat"](place), new=True)
            self.names[node] = True
            self.ops.append(Op("link", node, *self._parent(place)))
        else:
            self._real["mkdir"](path, mode, dir_fd=dir_fd)

    def _do_pread(self, fd: int, count: int, offset: int) -> bytes:
        if self._path(fd) is not None:
            self._refuse("pread")
        return self._real["pread"](fd, count, offset)

    def _do_listdir(self, path: Any = ".") -> list[str]:
        if self._path(path) is not None:
            self._refuse("listdir")
        return self._real["listdir"](path)

    def _do_io_open(self, file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **options: Any) -> Any:
        if isinstance(file, int) or self._path(file) is None:
            return self._open(file, mode, buffering, *rest, **options)
        raw = _Raw(self, os.fspath(file), mode.replace("b", "").replace("t", ""))
        if buffering == 0:
            return raw
        kind = io.BufferedReader if raw.readable() else io.BufferedWriter
        buffer = io.BufferedRandom(raw) if "+" in mode else kind(raw)
        if "b" in mode:
            return buffer
        return io.TextIOWrapper(buffer, *rest, **options)

    # ----------------------------------------------------------------------------------------- context

    def __enter__(self) -> Disk:
        names = {name: getattr(self, f"_do_{_SHADOWED[name]}") for name in _SHADOWED}
        self._patches = [mock.patch.object(os, name, call) for name, call in names.items()]
        self._patches += [
            mock.patch.object(io, "open", self._do_io_open),
            mock.patch("steadyhand.transport.log_writer.ThreadPoolExecutor", Pool),
        ]
        accessor = getattr(pathlib, "_NormalAccessor", None)  # Python 3.10 binds the calls early
        if accessor is not None:
            bound = {name: staticmethod(names[name]) for name in names if hasattr(accessor, name)}
            bound["open"] = staticmethod(self._do_io_open)
            self._patches += [mock.patch.object(accessor, name, call) for name, call in bound.items()]
        for patch in self._patches:
            patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        for patch in reversed(self._patches):
            patch.stop()

    def replace(self, left: Path) -> None:
        """Put the folder `left` in the place of the content, after a power cut; its history begins anew."""
        self.quiet = True
        shutil.rmtree(self.folder)
        left.rename(self.folder)
        self.quiet = False
        self.snapshot()

    def flip(self, path: Path, at: int, bit: int) -> None:
        """Flip a bit of a file at rest."""
        fd = self._real["open"](path, os.O_RDWR)
        try:
            byte = self._real["pread"](fd, 1, at)[0] ^ 1 << bit
            self._real["pwrite"](fd, bytes([byte]), at)
            self._written(fd, at, bytes([byte]))
        finally:
            self._real["close"](fd)

    def open_files(self) -> list[int]:
        """Return the descriptors of this process below the folder."""
        return [int(name) for name in self._real["listdir"]("/proc/self/fd") if self._path(int(name)) is not None]

    def die(self) -> None:
        """Let go of every open file below the folder, as a killed process does: nothing is sealed or synced."""
        Pool.alive.clear()
        for fd in self.open_files():
            self._real["close"](fd)


_SHADOWED = {name: name for name in ("open", "pwritev", "pwrite", "write", "fsync", "ftruncate", "posix_fallocate")}
_SHADOWED |= {"rename": "rename", "replace": "rename", "unlink": "unlink", "remove": "unlink", "rmdir": "rmdir"}
_SHADOWED |= {"mkdir": "mkdir", "pread": "pread", "listdir": "listdir"}


class _Raw(io.FileIO):
    """A file of the disk's own, so that buffered writes and reads are its calls too."""

    def __init__(self, disk: Disk, path: str, mode: str) -> None:
        self._disk = disk
        super().__init__(path, mode, opener=lambda name, flags: os.open(name, flags, 0o666))

    def write(self, data: Any) -> int:
        return os.write(self.fileno(), bytes(data))

    def readall(self) -> bytes:
        self._disk._refuse("read")
        return super().readall()

    def readinto(self, buffer: Any) -> int | None:
        self._disk._refuse("read")
        return super().readinto(buffer)

    def truncate(self, size: int | None = None) -> int:
        size = self.tell() if size is None else size
        os.ftruncate(self.fileno(), size)
        return size

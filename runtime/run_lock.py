"""A lock that admits one process at a time to each role of a run: two learners would overwrite each other's files."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from steadyhand.runtime.logging import quoted

__all__ = ["RunLockError", "run_lock"]


class RunLockError(RuntimeError):
    """The role is held by a live process."""


@contextmanager
def run_lock(run: Path, role: str, shared: bool = False, otherwise: str = "run_name") -> Iterator[None]:
    """Hold a role of a run while the context lasts. The kernel releases it when the process dies for any reason.

    The lock's file is removed at the end of the context, so that a refused start leaves none.

    Args:
        run: The run's folder, or the folder of one of its actors.
        role: `learner` or `actor`; names the lock's file.
        shared: Whether other processes that share the role may hold it at the same time.
        otherwise: Setting whose change would avoid the refusal; used in the error.

    Raises:
        RunLockError: Another process holds it; the line names that process.
    """
    path = run / f".{role}.lock"
    descriptor = _held(path, run, role, shared, otherwise)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
    finally:
        with suppress(OSError):
            if shared:  # the last of the processes that share it removes the file
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()  # while it is held: a process that has opened it meanwhile sees that it is gone
        os.close(descriptor)


def _held(path: Path, run: Path, role: str, shared: bool, otherwise: str) -> int:
    """Return the descriptor of the lock's file, held."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = quoted(os.pread(descriptor, 128, 0).decode(errors="replace").strip())
            os.close(descriptor)
            raise RunLockError(
                f"{run}: expected no other {role} on this run, found {holder}; end it, or choose another {otherwise}"
            ) from None
        if _is_at(descriptor, path):
            return descriptor
        os.close(descriptor)  # its holder has removed it between the two calls: open the next one


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False

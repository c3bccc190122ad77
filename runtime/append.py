"""Appending to a file as a whole or not at all."""

from __future__ import annotations

import errno
import os

__all__ = ["append_whole"]


def append_whole(descriptor: int, line: bytes, sync: bool = False) -> None:
    """Append bytes to a file that was opened for appending; a disk may fill up in their middle.

    Args:
        descriptor: Of the file.
        line: What to append.
        sync: Whether it must survive a power cut on return.

    Raises:
        OSError: The disk is full; the file is as before.
    """
    end = os.fstat(descriptor).st_size
    try:
        if os.write(descriptor, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if sync:
            os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, end)
        raise

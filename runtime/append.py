"""All-or-nothing append to a file."""

from __future__ import annotations

import errno
import os

__all__ = ["append_whole"]


def append_whole(descriptor: int, line: bytes, sync: bool = False) -> None:
    """Append bytes to a file that was opened for appending, all of them or none, even when the disk fills up meanwhile.

    Args:
        descriptor: Descriptor of the file.
        line: Bytes to append.
        sync: Whether the bytes must survive a power cut once this returns.

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

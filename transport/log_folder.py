"""The folder of a log: its segments in order."""

from __future__ import annotations

import os
from pathlib import Path

from steadyhand.runtime.logging import get_logger
from steadyhand.transport.segment import SUFFIX, LogError, Segment, open_segment

__all__ = ["is_finished", "open_segments", "paths"]

DAMAGED = ".damaged"

_log = get_logger("transport.segment")


def paths(folder: Path) -> list[tuple[int, Path]]:
    """Return (first seq, path) of a log's segments in order; the name holds the number."""
    found = []
    for name in os.listdir(folder):
        stem = name.removesuffix(SUFFIX)
        if stem != name and stem.isdecimal():
            found.append((int(stem), folder / name))
    return sorted(found)


def is_finished(folder: Path) -> bool:
    """Return whether every segment of a log is sealed: its writer has closed it, and no more records will come.

    Raises:
        LogError: A file is not a segment.
    """
    for _, path in paths(folder):
        segment = open_segment(path)
        try:
            if not segment.known()[1]:
                return False
        finally:
            os.close(segment.fd)
    return True


def open_segments(folder: Path, from_seq: int = 0, writable: bool = False, set_aside: bool = False) -> list[Segment]:
    """Open the segments of a log from `from_seq` on, in order. One that vanishes meanwhile was deleted: a gap.

    Args:
        folder: Folder of the log.
        from_seq: Number of the first record of the first segment to open, or less.
        writable: Whether they can be written.
        set_aside: Whether to rename a file that cannot be read beside others of its log that can.

    Raises:
        LogError: One cannot be read, and no other segment of the log can stand for its header.
    """
    found: dict[int, Segment] = {}
    unread: list[tuple[int, Path]] = []
    try:
        for first_seq, path in paths(folder):
            if first_seq < from_seq:
                continue
            try:
                found[first_seq] = open_segment(path, writable)
            except FileNotFoundError:
                continue
            except LogError:
                unread.append((first_seq, path))
        like = next(iter(found.values()), None)
        for first_seq, path in unread:
            try:
                found[first_seq] = open_segment(path, writable, like)
            except LogError as error:
                if not set_aside or like is None:
                    raise
                path.rename(path.with_suffix(DAMAGED))
                _log.error("%s; it is set aside as %s, and its records count as missing", error, DAMAGED)
    except BaseException:
        for segment in found.values():
            os.close(segment.fd)
        raise
    return [found[first_seq] for first_seq in sorted(found)]

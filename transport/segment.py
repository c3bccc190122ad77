"""One file of a log: a self-describing header, then records of fixed size."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from steadyhand.runtime.crashpoint import crashpoint
from steadyhand.runtime.logging import quoted
from steadyhand.transport.record import record_dtype, sound_prefix
from steadyhand.transport.schema import Schema, SchemaError

__all__ = ["PREPARED", "LogError", "Segment", "create", "finish", "mark", "open_segment", "paths", "pwrite_all"]

MAGIC = b"SHDLOG\r\n"
FORMAT_VERSION = 1
PAGE = 4096  # records start on a page, so that the mapping's first one is aligned
FIXED = struct.Struct("<8sIIqqI")  # magic, version, data offset, first seq, capacity, bytes of JSON
CRC = struct.Struct("<I")  # of the fixed part and the JSON
MARK = struct.Struct("<q")  # n >= 0: sealed with n records; n < 0: open, -1 - n records are surely on the disk
MARK_OFFSET = FIXED.size + CRC.size
FACTS_OFFSET = MARK_OFFSET + MARK.size
SUFFIX = ".segment"
PREPARED = ".prepared"
SCAN_BYTES = 1 << 20


class LogError(RuntimeError):
    """A log that cannot be opened, continued or read."""


class _Facts(msgspec.Struct, forbid_unknown_fields=True):
    schema: dict[str, Any]
    actor_id: str
    session_id: str


@dataclass(frozen=True)
class Segment:
    """A segment's header and its open file. Records are numbered from `first_seq` without a gap."""

    path: Path
    fd: int
    schema: Schema
    actor_id: str
    session_id: str
    first_seq: int
    capacity: int
    data_offset: int
    record_bytes: int

    def known(self) -> tuple[int, bool]:
        """Return how many records the header vouches for, and whether the segment is sealed (no more will come)."""
        value = MARK.unpack(os.pread(self.fd, MARK.size, MARK_OFFSET))[0]
        return (value, True) if value >= 0 else (-1 - value, False)

    def scan(self, start: int) -> int:
        """Return the number of leading records that are whole, when the first `start` are known to be.

        Reads instead of mapping: a file that another process cuts short is then an end, not a SIGBUS.
        """
        count, batch = start, 1
        while count < self.capacity:
            want = min(batch, self.capacity - count)
            raw = os.pread(self.fd, want * self.record_bytes, self.offset(count))
            sound = sound_prefix(memoryview(raw), self.record_bytes, self.first_seq + count)
            count += sound
            if sound < want:
                break
            batch = min(2 * batch, max(1, SCAN_BYTES // self.record_bytes))
        return count

    def offset(self, index: int) -> int:
        """Return where record `index` of this segment starts in the file, in bytes."""
        return self.data_offset + index * self.record_bytes


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


def create(
    folder: Path, schema: Schema, actor_id: str, session_id: str, first_seq: int, segment_bytes: int
) -> tuple[Path, Segment]:
    """Preallocate a segment under a temporary name; return that name and the segment as it will be once renamed.

    Raises:
        OSError: The disk has no room for it.
    """
    facts = msgspec.json.encode(_Facts(schema.to_json(), actor_id, session_id))
    data_offset = -(-(FACTS_OFFSET + len(facts)) // PAGE) * PAGE
    record_bytes = record_dtype(schema).itemsize
    capacity = max(1, (segment_bytes - data_offset) // record_bytes)
    temporary = folder / f"{first_seq:020d}{PREPARED}"
    fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.posix_fallocate(fd, 0, data_offset + capacity * record_bytes)
        fixed = FIXED.pack(MAGIC, FORMAT_VERSION, data_offset, first_seq, capacity, len(facts))
        header = fixed + CRC.pack(zlib.crc32(fixed + facts)) + MARK.pack(-1) + facts
        crashpoint("log.create.allocated")
        pwrite_all(fd, (header,), 0)
    except OSError:
        os.close(fd)
        temporary.unlink(missing_ok=True)
        raise
    path = folder / f"{first_seq:020d}{SUFFIX}"
    return temporary, Segment(path, fd, schema, actor_id, session_id, first_seq, capacity, data_offset, record_bytes)


def open_segment(path: Path, writable: bool = False) -> Segment:
    """Open a segment and read its header.

    Raises:
        FileNotFoundError: It has been deleted.
        LogError: It is not a segment of this format.
    """
    fd = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
    try:
        return _parse(path, fd)
    except (struct.error, msgspec.MsgspecError, SchemaError, ValueError) as error:
        os.close(fd)
        raise LogError(f"{path}: expected a log segment, found {quoted(str(error), 160)}; remove the file") from None
    except BaseException:
        os.close(fd)
        raise


def _parse(path: Path, fd: int) -> Segment:
    fixed = os.pread(fd, FIXED.size, 0)
    magic, version, data_offset, first_seq, capacity, facts_bytes = FIXED.unpack(fixed)
    if magic != MAGIC:
        raise LogError(f"{path}: expected a log segment, found another kind of file")
    if version != FORMAT_VERSION:
        raise LogError(f"{path}: expected log format {FORMAT_VERSION}, found {version}; read it with its own version")
    raw = os.pread(fd, min(facts_bytes, data_offset), FACTS_OFFSET)
    if CRC.pack(zlib.crc32(fixed + raw)) != os.pread(fd, CRC.size, FIXED.size):
        raise LogError(f"{path}: the header's checksum is wrong; restore the file or remove it")
    facts = msgspec.json.decode(raw, type=_Facts)
    schema = Schema.from_json(facts.schema)
    record_bytes = record_dtype(schema).itemsize
    return Segment(path, fd, schema, facts.actor_id, facts.session_id, first_seq, capacity, data_offset, record_bytes)


def mark(segment: Segment, count: int, sealed: bool = False) -> None:
    """Write into the header that `count` records are on the disk. Sync the records first: readers trust the mark."""
    pwrite_all(segment.fd, (MARK.pack(count if sealed else -1 - count),), MARK_OFFSET)


def finish(segment: Segment, count: int) -> None:
    """Seal a segment for good with `count` records, free its unused room, and close the file."""
    try:
        os.fsync(segment.fd)
        crashpoint("log.finish.synced")
        mark(segment, count, sealed=True)
        crashpoint("log.finish.marked")
        if count < segment.capacity:
            os.ftruncate(segment.fd, segment.offset(count))
        os.fsync(segment.fd)
    finally:
        os.close(segment.fd)


def pwrite_all(fd: int, parts: Sequence[bytes | memoryview], offset: int) -> None:
    """Write `parts` one after the other at `offset`; repeat a partial write until all is written or the disk raises."""
    written = os.pwritev(fd, parts, offset)
    if written < sum(map(len, parts)):
        rest = memoryview(b"".join(parts))[written:]
        while rest:
            offset += written
            written = os.pwrite(fd, rest, offset)
            rest = rest[written:]

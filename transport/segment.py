"""One file of a log: a self-describing header, then records of fixed size."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from steadyhand.runtime.crashpoint import crashpoint
from steadyhand.runtime.logging import get_logger, quoted
from steadyhand.transport.record import SEQ, is_sound, record_dtype, sound_prefix
from steadyhand.transport.schema import Schema
from steadyhand.transport.segment_header import (
    Header,
    HeaderError,
    encode_header,
    encode_mark,
    new_header,
    read_header,
    read_mark,
)

__all__ = ["PREPARED", "SUFFIX", "LogError", "Segment", "create", "finish", "mark", "open_segment"]
__all__ += ["pwrite_all", "write_again"]

SUFFIX = ".segment"
PREPARED = ".prepared"
SCAN_BYTES = 1 << 20

_log = get_logger("transport.segment")


class LogError(RuntimeError):
    """A log that cannot be opened, continued or read."""


@dataclass(frozen=True)
class Segment:
    """A segment's header and its open file. Records are numbered from `first_seq` without a gap."""

    path: Path
    fd: int
    header: Header
    record_bytes: int

    @property
    def schema(self) -> Schema:
        """Return the schema of the records."""
        return self.header.schema

    @property
    def actor_id(self) -> str:
        """Return the id of the recording actor."""
        return self.header.actor_id

    @property
    def session_id(self) -> str:
        """Return the session's id."""
        return self.header.session_id

    @property
    def first_seq(self) -> int:
        """Return the number of the first record."""
        return self.header.first_seq

    @property
    def capacity(self) -> int:
        """Return the number of records that the file has room for."""
        return self.header.capacity

    def known(self) -> tuple[int, bool]:
        """Return how many records the mark vouches for, and whether the segment is sealed (no more will come).

        A damaged mark vouches for none: the records have checksums of their own.
        """
        return read_mark(self.fd, self.header) or (0, False)

    def room(self) -> int:
        """Return the number of whole records that the file has bytes for."""
        return max(0, os.fstat(self.fd).st_size - self.header.data_offset) // self.record_bytes

    def scan(self, start: int, settled: int = 0) -> tuple[int, list[int]]:
        """Follow the records from `start` on; return their number with those before `start`, and the damaged ones.

        A record that is not whole ends the log, unless it is damaged for certain: it is one of the first `settled`, or
        the next record is whole, which was written after it.

        Reads instead of mapping: a file that another process cuts short is then an end, not a SIGBUS.
        """
        count, batch, damaged = start, 1, []
        while count < self.capacity:
            want = min(batch, self.capacity - count)
            # With the number of the record after them, which is seldom needed and costs no further call here.
            raw = memoryview(os.pread(self.fd, want * self.record_bytes + SEQ.size, self.offset(count)))
            sound = sound_prefix(raw[: want * self.record_bytes], self.record_bytes, self.first_seq + count)
            count += sound
            after = raw[(sound + 1) * self.record_bytes :][: SEQ.size]
            if sound == want:
                batch = min(2 * batch, max(1, SCAN_BYTES // self.record_bytes))
            elif count < settled or (after == SEQ.pack(self.first_seq + count + 1) and self._is_passed(count)):
                damaged.append(count)
                count, batch = count + 1, 1
            else:
                break
        return count, damaged

    def _is_passed(self, index: int) -> bool:
        """Return whether the record after `index` is whole and the one at `index`, looked at again, is still not."""
        return index + 1 < self.capacity and self.is_sound(index + 1) and not self.is_sound(index)

    def is_sound(self, index: int) -> bool:
        """Return whether the record at `index` is whole, sealed and has its number."""
        raw = os.pread(self.fd, self.record_bytes, self.offset(index))
        return sound_prefix(memoryview(raw), self.record_bytes, self.first_seq + index) == 1

    def end_of_records(self, start: int) -> int:
        """Return the number of records up to the last sound one of the whole file, at least `start`.

        Unlike `scan` it looks beyond any number of damaged records, and reads the file to its end.
        """
        batch, end = max(1, SCAN_BYTES // self.record_bytes), start
        for first in range(start, min(self.capacity, self.room()), batch):
            raw = os.pread(self.fd, min(batch, self.capacity - first) * self.record_bytes, self.offset(first))
            count = len(raw) // self.record_bytes
            rows = np.frombuffer(raw, np.uint8, count * self.record_bytes).reshape(count, self.record_bytes)
            numbers = rows[:, : SEQ.size].copy().view("<i8")[:, 0]
            matching = np.flatnonzero(numbers == self.first_seq + first + np.arange(count))
            for index in matching[::-1].tolist():
                if is_sound(memoryview(raw)[index * self.record_bytes : (index + 1) * self.record_bytes]):
                    end = first + index + 1
                    break
        return end

    def offset(self, index: int) -> int:
        """Return where record `index` of this segment starts in the file, in bytes."""
        return self.header.data_offset + index * self.record_bytes


def create(
    folder: Path,
    schema: Schema,
    actor_id: str,
    session_id: str,
    first_seq: int,
    segment_bytes: int,
    follows: int | None = None,
    records: int | None = None,
) -> tuple[Path, Segment]:
    """Preallocate a segment under a temporary name; return that name and the segment as it will be once renamed.

    Args:
        folder: Folder of the log.
        schema: Schema of the records.
        actor_id: Id of the recording actor.
        session_id: 32 hex digits.
        first_seq: Number of the first record.
        segment_bytes: Size of the file.
        follows: Number after the record before; None = `first_seq`, no number is left out.
        records: Number of records instead of a size.

    Raises:
        OSError: The disk has no room for it.
    """
    follows = first_seq if follows is None else follows
    header, raw = new_header(schema, actor_id, session_id, first_seq, follows, segment_bytes, records)
    record_bytes = record_dtype(schema).itemsize
    temporary = folder / f"{first_seq:020d}{PREPARED}"
    fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.posix_fallocate(fd, 0, header.data_offset + header.capacity * record_bytes)
        crashpoint("log.create.allocated")
        pwrite_all(fd, (encode_header(header, raw, 0, sealed=False),), 0)
        os.fsync(fd)  # a power cut may keep the name: it must not stand for a file without a header
    except OSError:
        os.close(fd)
        temporary.unlink(missing_ok=True)
        raise
    return temporary, Segment(folder / f"{first_seq:020d}{SUFFIX}", fd, header, record_bytes)


def open_segment(path: Path, writable: bool = False, like: Segment | None = None) -> Segment:
    """Open a segment and read its header.

    Args:
        path: The file.
        writable: Whether it can be written.
        like: Another segment of the same log. If no header of the file can be read, it stands for the missing one,
            provided that a record fits.

    Raises:
        FileNotFoundError: It has been deleted.
        LogError: It is not a segment of this format.
    """
    fd = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
    try:
        try:
            header = read_header(fd)
            if header.is_copy:
                _log.warning("%s: the header is damaged; its copy is used", path)
        except HeaderError as error:
            header = _of_sibling(path, fd, like, str(error))
        return Segment(path, fd, header, record_dtype(header.schema).itemsize)
    except BaseException:
        os.close(fd)
        raise


def _of_sibling(path: Path, fd: int, like: Segment | None, fault: str) -> Header:
    stem = path.name.removesuffix(SUFFIX)
    if like is not None and stem.isdecimal():
        first_seq = int(stem)
        header = replace(like.header, first_seq=first_seq, follows=first_seq, is_copy=True, crc=0)
        guess = Segment(path, fd, header, like.record_bytes)
        guess = replace(guess, header=replace(header, capacity=guess.room()))
        if guess.end_of_records(0):
            _log.warning("%s: %s; that of %s is used", path, fault, like.path.name)
            return guess.header
    raise LogError(f"{path}: expected a log segment, found {quoted(fault, 160)}; restore the file or remove it")


def mark(segment: Segment, count: int, sealed: bool = False) -> None:
    """Write into the header that `count` records are on the disk. Sync the records first: readers trust the mark."""
    pwrite_all(segment.fd, (encode_mark(segment.header, count, sealed),), segment.header.place)


def write_again(segment: Segment, count: int, sound: bool = True) -> None:
    """Write the first `count` records once more, except those that the mark vouches for.

    After a failed sync the kernel calls their pages clean, though they are not on the disk, and the next sync would
    succeed without them.

    Args:
        segment: The segment.
        count: Number of records.
        sound: Whether every one of them has to be whole.

    Raises:
        OSError: A record has been lost meanwhile, or the disk refuses.
    """
    batch, size = max(1, SCAN_BYTES // segment.record_bytes), segment.record_bytes
    for first in range(segment.known()[0], count, batch):
        many = min(batch, count - first)
        raw = os.pread(segment.fd, many * size, segment.offset(first))
        if sound and sound_prefix(memoryview(raw), size, segment.first_seq + first) < many:
            raise OSError(errno.EIO, "records that could not be synced are not readable any more")
        pwrite_all(segment.fd, (raw,), segment.offset(first))


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
            if not written:
                raise OSError(errno.EIO, os.strerror(errno.EIO))  # a disk that takes nothing, and does not say why
            rest = rest[written:]

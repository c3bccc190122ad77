"""The damaged and missing records of one log: which they are, and their repair in place."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import numpy as np

from steadyhand.transport import log_folder
from steadyhand.transport import segment as seg
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.record import SEQ
from steadyhand.transport.wire import MAX_LOST, Wanted

__all__ = ["Damage", "damage_from"]

CHECKED_BYTES = 1 << 28  # of a log when its actor connects


def damage_from(folder: Path, first_seq: int) -> list[int]:
    """Return the damaged numbers from `first_seq` on, which is the oldest record that the actor still has.

    At most the newest `CHECKED_BYTES` are read.

    Raises:
        LogError: The log cannot be read.
        OSError: The disk refused.
    """
    with closing(LogReader(folder)) as reader:
        lo = max(reader.locate(first_seq)[0], len(reader) - CHECKED_BYTES // reader.dtype.itemsize)
        rows = np.arange(lo, len(reader))
        return [reader.seq_at(row) for row in rows[~reader.verify(rows)].tolist()]


class Damage:
    """Numbers of the records of a log that cannot be read, until each has been written anew.

    Only damaged bytes are ever overwritten: a record that is whole never changes.
    """

    def __init__(self, folder: Path, record_bytes: int) -> None:
        self._folder, self._size = folder, record_bytes
        self._seqs: set[int] = set()

    def __len__(self) -> int:
        return len(self._seqs)

    @property
    def first(self) -> int | None:
        """Return the lowest number; None without damage."""
        return min(self._seqs, default=None)

    def add(self, numbers: Iterable[int]) -> list[int]:
        """Take in numbers; return those that are new, in order."""
        new = sorted(set(numbers) - self._seqs)
        self._seqs.update(new)
        return new

    def wanted(self) -> Wanted | None:
        """Return the next numbers to ask the actor for; None without damage."""
        first = self.first
        if first is None:
            return None
        count = 1
        while count < MAX_LOST and first + count in self._seqs:
            count += 1
        return Wanted(first, count)

    def mend(self, frame: memoryview) -> list[int]:
        """Write those of some sound records that are damaged here, and sync them; return their numbers.

        Raises:
            LogError: A segment cannot be opened.
            OSError: The disk refused.
        """
        records = {
            SEQ.unpack_from(frame, start)[0]: frame[start : start + self._size]
            for start in range(0, len(frame), self._size)
        }
        due = sorted(self._seqs & records.keys())
        mended: list[int] = []
        segments = log_folder.paths(self._folder) if due else []
        firsts = [first for first, _ in segments]
        while due:
            index = bisect_right(firsts, due[0]) - 1
            end = firsts[index + 1] if index + 1 < len(firsts) else due[-1] + 1
            here = [seq for seq in due if seq < end]
            due = due[len(here) :]
            if index >= 0:
                mended += self._write(segments[index][1], {seq: records[seq] for seq in here})
        self._seqs.difference_update(mended)
        return mended

    def _write(self, path: Path, records: dict[int, memoryview]) -> list[int]:
        segment = seg.open_segment(path, writable=True)
        try:
            room = range(segment.first_seq, segment.first_seq + segment.room())
            fitting = [seq for seq in records if seq in room]
            for seq in fitting:
                seg.pwrite_all(segment.fd, (records[seq],), segment.offset(seq - segment.first_seq))
            os.fsync(segment.fd)
            return fitting
        finally:
            os.close(segment.fd)

"""One segment of a log that is read: a read-only mapping, and which of its records are there and sound."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from steadyhand.transport.mapping import map_file
from steadyhand.transport.record import record_dtype, sound_prefix
from steadyhand.transport.segment import Segment

__all__ = ["MappedSegment"]


@dataclass
class MappedSegment:
    """A segment and its mapping; its first `count` records have been written.

    Attributes:
        segment: The segment; its file is open until it is finished.
        raw: Bytes of the file.
        records: The records that the file has room for, (n,).
        checked: Whether the checksum of each record has been looked at, (n,).
        count: Number of records that have been written, as far as it was looked.
        damaged: Indices of the records that are known to be damaged.
        finished: Whether no more records will come.
    """

    segment: Segment
    raw: NDArray[np.uint8]
    records: NDArray[np.void]
    checked: NDArray[np.bool_]
    count: int = 0
    damaged: set[int] = field(default_factory=set)
    finished: bool = False

    @classmethod
    def open(cls, segment: Segment) -> MappedSegment:
        """Map a segment, and take in the records that it has; an error closes its file."""
        try:
            raw, room = map_file(segment.fd), segment.room()
            end = segment.offset(room)
            records = raw[segment.header.data_offset : end].view(record_dtype(segment.schema))
            # A segment that was cut short lacks the records at its end; they count as a gap.
            part = cls(segment, raw, records, np.zeros(room, np.bool_), min(segment.known()[0], room))
            part.grow()
        except BaseException:
            os.close(segment.fd)
            raise
        return part

    @property
    def end(self) -> int:
        """Return the number after the last record."""
        return self.segment.first_seq + self.count

    def grow(self, at_least: int = 0) -> bool:
        """Take in appended records, `at_least` so many; return whether no more will come."""
        if not self.finished:
            known, sealed = self.segment.known()
            known = min(max(known, at_least), len(self.records))
            if sealed:
                self.count = known
            else:
                begin = self.count
                self.count, damaged = self.segment.scan(begin, known)
                self.damaged.update(damaged)
                self.checked[begin : self.count] = True
            self.finished = sealed or self.count == self.segment.capacity
            if self.finished:
                os.close(self.segment.fd)
        return self.finished

    def look_beyond_damage(self) -> None:
        """Take in the records behind several damaged ones in a row, which look like the end of the records.

        Records are written in order: where a later one is whole and this one, looked at again, is not, it is damaged.
        """
        if not self.finished and (end := self.segment.end_of_records(self.count)) > self.count:
            self.grow(0 if self.segment.is_sound(self.count) else end)

    def verify(self, local: NDArray[np.int64], again: bool) -> bool:
        """Check records that have not been checked; return whether something else is damaged now than before."""
        todo: Iterable[int] = np.unique(local if again else local[~self.checked[local]]).tolist()
        before, size = set(self.damaged), self.segment.record_bytes
        for index in todo:
            start = self.segment.offset(index)
            one = self.raw[start : start + size].data
            if sound_prefix(one, size, self.segment.first_seq + index):
                self.damaged.discard(index)
            else:
                self.damaged.add(index)
            self.checked[index] = True
        return self.damaged != before

    def close(self) -> None:
        """Close the file; the mapping goes with the last array over it."""
        if not self.finished:
            self.finished = True
            os.close(self.segment.fd)

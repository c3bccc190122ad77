"""The reading end of a log: rows over read-only mappings of its segments."""

from __future__ import annotations

import contextlib
import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from steadyhand.transport import segment as seg
from steadyhand.transport.record import record_dtype
from steadyhand.transport.segment import LogError, Segment

__all__ = ["LogReader"]

WIDE_BYTES = 1024  # from here on one memcpy per row beats numpy's gather, which goes through a temporary


class LogReader:
    """The records in `folder`, in order, by row: row 0 is the oldest that is left.

    A segment that was deleted from the middle leaves a gap in `seq` and none in the rows. Rows never move while the
    reader lives, unless `forget` is called. One thread uses a reader; a writer may append meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        """Map every segment. Only segments that were never sealed are scanned, so the time is flat in the records.

        Raises:
            LogError: There is no log, or it is damaged.
        """
        self.folder = folder
        self._parts: list[_Part] = []
        self._starts = np.zeros(1, np.int64)
        self._open_newer(0)
        if not self._parts:
            raise LogError(f"{folder}: expected a log, found no segment")
        newest = self._parts[-1].segment
        self.schema, self.actor_id, self.session_id = newest.schema, newest.actor_id, newest.session_id
        self.dtype = record_dtype(self.schema)
        self._index()

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def first_seq(self) -> int:
        """Return the number of the oldest record that is left."""
        return self.seq_at(0) if len(self) else self.next_seq

    @property
    def next_seq(self) -> int:
        """Return the number after the newest record seen."""
        return self._parts[-1].end

    def refresh(self) -> int:
        """Take in appended records; return the number of rows now. Stops at the first record that is not whole."""
        newest = self._parts[-1]
        if newest.grow():
            self._open_newer(newest.end)
        self._index()
        return len(self)

    def seq_at(self, row: int) -> int:
        """Return the number of the record at `row`."""
        index = int(np.searchsorted(self._starts, row, side="right")) - 1
        return self._parts[index].segment.first_seq + row - int(self._starts[index])

    def locate(self, seq: int) -> tuple[int, int]:
        """Return rows (lo, hi): from the first record numbered `seq` or later to the end of its segment."""
        for index, part in enumerate(self._parts):
            if seq < part.end:
                lo = int(self._starts[index]) + max(0, seq - part.segment.first_seq)
                return lo, int(self._starts[index + 1])
        return len(self), len(self)

    def gather(self, rows: ArrayLike, field: str) -> NDArray[Any]:
        """Return one field of many records, copied straight from the mapping.

        Args:
            rows: Integer rows (n,), in any order.
            field: A column's name, or "observation/<name>".

        Returns:
            (n, ...), each row of the shape of the field.

        Raises:
            IndexError: A row does not exist.
            LogError: The field does not exist.
        """
        rows = np.asarray(rows, np.int64)
        if rows.size and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"rows: expected 0 to {len(self) - 1}, found {rows.min()} to {rows.max()}")
        if field not in (self.dtype.names or ()):
            raise LogError(f"field {field!r}: no such field; valid names: {', '.join(self.dtype.names or ())}")
        which = np.searchsorted(self._starts, rows, side="right") - 1
        local = rows - self._starts[which]
        columns: dict[int, NDArray[Any]] = {
            part: self._parts[part].records[field] for part in np.unique(which).tolist()
        }
        if len(columns) == 1:
            (column,) = columns.values()
            return np.asarray(column[local])
        kind = self.dtype[field]
        out = np.empty((len(rows), *kind.shape), kind.base)
        if kind.itemsize < WIDE_BYTES:
            for part, column in columns.items():
                chosen = which == part
                out[chosen] = column[local[chosen]]
        else:
            for index, (part, row) in enumerate(zip(which.tolist(), local.tolist(), strict=True)):
                out[index] = columns[part][row]
        return out

    def read(self, lo: int, hi: int) -> NDArray[np.void]:
        """Return the records of rows [lo, hi), (hi - lo,), read-only."""
        return np.frombuffer(self.frame(lo, hi), self.dtype)

    def frame(self, lo: int, hi: int) -> bytes:
        """Return the bytes of rows [lo, hi), as stored and sent."""
        if not 0 <= lo <= hi <= len(self):
            raise IndexError(f"rows: expected 0 <= lo <= hi <= {len(self)}, found [{lo}, {hi})")
        chunks = []
        for part, start in zip(self._parts, self._starts.tolist(), strict=False):
            first, last = max(lo - start, 0), min(hi - start, part.count)
            if first < last:
                chunks.append(part.raw[part.segment.offset(first) : part.segment.offset(last)])
        return b"".join(chunks)

    def forget(self, next_seq: int) -> None:
        """Let go of segments whose records all come before `next_seq`, so that their disk room can be freed."""
        while len(self._parts) > 1 and self._parts[0].end <= next_seq:
            self._parts.pop(0).close()
        self._index()

    def close(self) -> None:
        """Close the files. Arrays that were returned stay good: they are copies."""
        for part in self._parts:
            part.close()

    def _open_newer(self, seq: int) -> None:
        """Open the segments from `seq` on. One that vanished between listing and opening was deleted: a gap."""
        found: list[_Part] = []
        for first_seq, path in seg.paths(self.folder):
            if first_seq >= seq:
                with contextlib.suppress(FileNotFoundError):
                    found.append(_Part.open(path))
        if found and self._parts and self._parts[-1].count == 0:
            self._parts.pop().close()  # an empty last segment; its successor has the same name
        self._parts += found

    def _index(self) -> None:
        self._starts = np.cumsum([0, *(part.count for part in self._parts)], dtype=np.int64)


@dataclass
class _Part:
    """One mapped segment: its first `count` records have been seen to be whole."""

    segment: Segment
    raw: mmap.mmap
    records: NDArray[np.void]
    count: int = 0
    finished: bool = False

    @classmethod
    def open(cls, path: Path) -> _Part:
        segment = seg.open_segment(path)
        raw = mmap.mmap(segment.fd, 0, prot=mmap.PROT_READ)
        room = (len(raw) - segment.data_offset) // segment.record_bytes
        records = np.ndarray((room,), record_dtype(segment.schema), raw, segment.data_offset)
        part = cls(segment, raw, records, segment.known()[0])
        if part.count > room:
            part.close()
            raise LogError(f"{path}: expected {part.count} records, found room for {room}; restore the file")
        part.grow()
        return part

    @property
    def end(self) -> int:
        return self.segment.first_seq + self.count

    def grow(self) -> bool:
        """Take in appended records; return whether no more will come."""
        if not self.finished:
            known, sealed = self.segment.known()
            self.count = known if sealed else self.segment.scan(max(known, self.count))
            self.finished = sealed or self.count == self.segment.capacity
            if self.finished:
                os.close(self.segment.fd)
        return self.finished

    def close(self) -> None:
        """Close the file; the mapping goes with the last array over it."""
        if not self.finished:
            self.finished = True
            os.close(self.segment.fd)

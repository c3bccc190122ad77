"""The reading end of a log: rows over read-only mappings of its segments."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from steadyhand.transport import log_folder
from steadyhand.transport.mapped_segment import MappedSegment
from steadyhand.transport.record import Place, place_between, record_dtype, stand_in
from steadyhand.transport.segment import LogError

__all__ = ["LogReader"]

WIDE_BYTES = 1024  # from here on one memcpy per row beats numpy's gather, which goes through a temporary


class LogReader:
    """The records in `folder`, in order, by row: row 0 is the oldest that is left.

    A segment that was deleted from the middle leaves a gap in `seq` and none in the rows. Rows never move while the
    reader lives, unless `forget` is called. A damaged record keeps its row: once it is known to be damaged, a lost
    record is read in its place, which is not valid. One thread uses a reader; a writer may append meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        """Map every segment. Only segments that were never sealed are scanned, so the time is flat in the records.

        Raises:
            LogError: There is no log, or it is damaged.
        """
        self.folder = folder
        self._parts: list[MappedSegment] = []
        self._starts = np.zeros(1, np.int64)
        self._damaged = np.zeros(0, np.int64)  # rows, in order
        self._has_damage = False  # whether any segment ever had a damaged record
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

    @property
    def damaged(self) -> NDArray[np.int64]:
        """Return the rows (n,) that are known to be damaged, in order."""
        return self._damaged

    def refresh(self) -> int:
        """Take in appended records; return the number of rows now. Stops at the first record that is not whole."""
        newest = self._parts[-1]
        try:
            if newest.grow():
                self._open_newer(newest.end)
        finally:  # a refused read must not leave rows that are counted in one place and not in the other
            self._has_damage |= bool(newest.damaged)
            self._index()
        return len(self)

    def seq_at(self, row: int) -> int:
        """Return the number of the record at `row`."""
        part, start = self._part_at(row)
        return part.segment.first_seq + row - start

    def locate(self, seq: int) -> tuple[int, int]:
        """Return rows (lo, hi): from the first record numbered `seq` or later to the end of its segment."""
        for index, part in enumerate(self._parts):
            if seq < part.end:
                lo = int(self._starts[index]) + max(0, seq - part.segment.first_seq)
                return lo, int(self._starts[index + 1])
        return len(self), len(self)

    def rows_of(self, numbers: ArrayLike) -> NDArray[np.int64]:
        """Return the rows (m,) of the records with these numbers (n,), as far as the log has them."""
        numbers = np.asarray(numbers, np.int64)
        found = [np.zeros(0, np.int64)]
        for part, start in zip(self._parts, self._starts.tolist(), strict=False):
            first = part.segment.first_seq
            found.append(numbers[(numbers >= first) & (numbers < part.end)] - first + start)
        return np.concatenate(found)

    def verify(self, rows: ArrayLike, again: bool = False) -> NDArray[np.bool_]:
        """Check the checksums and numbers of rows (n,) that have not been checked; return which are sound, (n,).

        Args:
            rows: Rows in any order.
            again: Whether to check rows that were checked before, too.
        """
        rows = np.asarray(rows, np.int64)
        sound = np.ones(len(rows), np.bool_)
        which = np.searchsorted(self._starts, rows, side="right") - 1
        changed = False
        for index in np.unique(which).tolist():
            part, mine = self._parts[index], which == index
            local = rows[mine] - self._starts[index]
            changed |= part.verify(local, again)
            if part.damaged:
                sound[mine] = ~np.isin(local, list(part.damaged))
        if changed:
            self._has_damage = True
            self._index()
        return sound

    def sound_run(self, lo: int, hi: int, again: bool = False) -> int:
        """Return the number of leading rows of [lo, hi) in one state: positive if they are sound, else negative."""
        part, start = self._part_at(lo)
        local = slice(lo - start, hi - start)
        if hi - start <= part.count and not again and not part.damaged and part.checked[local].all():
            return hi - lo  # the usual case: all of them were checked when they were appended
        sound = self.verify(np.arange(lo, hi), again)
        change = np.flatnonzero(sound != sound[0])
        count = int(change[0]) if len(change) else hi - lo
        return count if sound[0] else -count

    def place(self, row: int) -> Place:
        """Return episode and step of a damaged row, from the sound records around it."""
        first = last = row
        while self._is_damaged(first - 1):
            first -= 1
        while self._is_damaged(last + 1):
            last += 1
        before = self._record(first - 1) if first > 0 else None
        after = self._record(last + 1) if last + 1 < len(self) else None
        return place_between(before, after, row - first + 1, last - row + 1)

    def _is_damaged(self, row: int) -> bool:
        index = int(np.searchsorted(self._damaged, row))
        return index < len(self._damaged) and bool(self._damaged[index] == row)

    def _record(self, row: int) -> np.void:
        part, start = self._part_at(row)
        record: np.void = part.records[row - start]
        return record

    def _part_at(self, row: int) -> tuple[MappedSegment, int]:
        """Return the segment of a row, and the segment's first row."""
        index = int(np.searchsorted(self._starts, row, side="right")) - 1
        return self._parts[index], int(self._starts[index])

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
        out = self._gather(rows, field)
        if self._damaged.size:
            for place in np.flatnonzero(np.isin(rows, self._damaged)).tolist():
                out[place] = self._stand_in(int(rows[place]))[field]
        return out

    def _gather(self, rows: NDArray[np.int64], field: str) -> NDArray[Any]:
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
        records = np.frombuffer(self.frame(lo, hi), self.dtype)
        first, last = np.searchsorted(self._damaged, (lo, hi)).tolist()
        if first < last:
            records = records.copy()
            for row in self._damaged[first:last].tolist():
                records[row - lo] = self._stand_in(row)
            records.flags.writeable = False
        return records

    def _stand_in(self, row: int) -> NDArray[np.void]:
        return stand_in(self.dtype, self.seq_at(row), self.place(row))

    def frame(self, lo: int, hi: int) -> bytes:
        """Return the bytes of rows [lo, hi), as stored and sent, damaged ones too."""
        if not 0 <= lo <= hi <= len(self):
            raise IndexError(f"rows: expected 0 <= lo <= hi <= {len(self)}, found [{lo}, {hi})")
        chunks = []
        for part, start in zip(self._parts, self._starts.tolist(), strict=False):
            first, last = max(lo - start, 0), min(hi - start, part.count)
            if first < last:
                chunks.append(part.raw[part.segment.offset(first) : part.segment.offset(last)].tobytes())
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
        segments = log_folder.open_segments(self.folder, seq)
        found: list[MappedSegment] = []
        try:
            while segments:
                found.append(MappedSegment.open(segments.pop(0)))
                if not self._parts:  # of a log that others have written; a file that appears later begins empty
                    found[-1].look_beyond_damage()
        except BaseException:
            for part in found:
                part.close()
            for segment in segments:
                os.close(segment.fd)
            raise
        if found and self._parts and self._parts[-1].count == 0:
            self._parts.pop().close()  # an empty last segment; its successor has the same name
        self._parts += found
        self._has_damage |= any(part.damaged for part in found)

    def _index(self) -> None:
        self._starts = np.cumsum([0, *(part.count for part in self._parts)], dtype=np.int64)
        if self._has_damage:
            rows = [
                start + row
                for part, start in zip(self._parts, self._starts.tolist(), strict=False)
                for row in sorted(part.damaged)
            ]
            self._damaged = np.array(rows, np.int64)

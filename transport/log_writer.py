"""The writing end of a log: appends records to preallocated segments."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steadyhand.runtime.crashpoint import crashpoint
from steadyhand.runtime.run_folder import make_folder, sync_folder
from steadyhand.transport import segment as seg
from steadyhand.transport.record import CRC, SEQ, RecordError, checksum, record_dtype, sound_prefix
from steadyhand.transport.recovery import recover
from steadyhand.transport.schema import Schema
from steadyhand.transport.segment import LogError, Segment

__all__ = ["LogWriter"]


class LogWriter:
    """Appends to the log in `folder`, and continues it when there is one.

    One thread appends; any other may call `sync` and `forget`. An append costs one checksum and one pwritev:
    a background thread makes the next segment, and syncs and seals the last one. An appended record survives the
    death of the process at once, and a power cut from the next `sync` on.
    """

    def __init__(
        self, folder: Path, schema: Schema, actor_id: str, session_id: str, segment_bytes: int, trim: bool = False
    ) -> None:
        """Open the log.

        Args:
            folder: Folder of the log; made when missing.
            schema: Schema of every record; an existing log must have the same.
            actor_id: Id of the recording actor; written into every segment.
            session_id: 32 hex digits; written into every segment.
            segment_bytes: Size of one file.
            trim: Whether `forget` may delete what the learner holds. Never for a demo set.

        Raises:
            LogError: The folder holds another log.
            OSError: The disk is full.
        """
        self.folder, self.schema, self.trim = folder, schema, trim
        self.dtype = record_dtype(schema)
        self._identity = (schema, actor_id, session_id)
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()
        self._count = 0
        self._closed = False
        self.damaged: list[int] = []  # numbers of damaged records, found when the log was opened
        self._sealed: list[tuple[int, Path]] = []  # (seq after its last record, file), oldest first
        make_folder(folder)
        first_seq = self._recover()
        for leftover in folder.glob(f"*{seg.PREPARED}"):
            leftover.unlink()
        self._background = ThreadPoolExecutor(1, thread_name_prefix="log")
        self._lacks_room = False  # the newest attempt to make a segment that has ended failed
        self._unsealed: OSError | None = None  # why a full segment could not be put on the disk
        self._refused: Segment | None = None  # the segment whose last sync failed
        self._segment = self._adopt(*self._create(first_seq))
        self._prepared = self._prepare()

    @property
    def next_seq(self) -> int:
        """Return the number that the next record gets."""
        return self._segment.first_seq + self._count

    @property
    def fault(self) -> BaseException | None:
        """Return why the next segment could not be made (a full disk), while this one still has room; else None."""
        return self._prepared.exception() if self._prepared.done() else None

    def has_room(self) -> bool:
        """Return whether the next segment can be made; after a failure this tries again, so ask again later."""
        if self._prepared.done():
            self._lacks_room = self.fault is not None
            if self._lacks_room:
                self._prepared = self._prepare()
        return not self._lacks_room

    def append(self, record: NDArray[np.void] | np.void) -> int:
        """Append one record and return the `seq` it got; its own `seq` and `crc` are not looked at.

        Raises:
            RecordError: It has another layout.
            OSError: The disk is full. The log is as before; a later append tries again.
        """
        if record.dtype != self.dtype:
            raise RecordError(f"record: expected the layout of this log's schema, found {record.dtype}")
        self._check_open()
        if self._count == self._segment.capacity:
            self._roll()
        seq = self.next_seq
        # The number and the checksum are written around the caller's own bytes: no copy of the frames.
        raw = np.ascontiguousarray(record).reshape(1).view(np.uint8).data
        head, body = SEQ.pack(seq), raw[SEQ.size : -CRC.size]
        parts = (head, body, CRC.pack(checksum(head, body)))
        crashpoint("log.append.before")
        seg.pwrite_all(self._segment.fd, parts, self._segment.offset(self._count))
        self._count += 1
        crashpoint("log.append.after")
        return seq

    def append_frame(self, frame: bytes | memoryview, first_seq: int, checked: bool = False) -> int:
        """Append sealed records that continue this log; return the next number. All of them, or none on RecordError.

        Args:
            frame: Their bytes.
            first_seq: Number of the first one.
            checked: Whether the caller has checked every record.

        Raises:
            RecordError: A wrong size, number or checksum.
            OSError: The disk is full. `next_seq` says what has been stored.
        """
        self._check_open()
        raw, size = memoryview(frame).cast("B"), self.dtype.itemsize
        fits = first_seq == self.next_seq and len(raw) % size == 0
        if not fits or not (checked or sound_prefix(raw, size, first_seq) * size == len(raw)):
            raise RecordError(
                f"frame: expected whole sealed records of {size} bytes from seq {self.next_seq}, "
                f"found {len(raw)} bytes from seq {first_seq}, or a wrong checksum"
            )
        while raw:
            if self._count == self._segment.capacity:
                self._roll()
            fit = min(self._segment.capacity - self._count, len(raw) // size)
            seg.pwrite_all(self._segment.fd, (raw[: fit * size],), self._segment.offset(self._count))
            self._count += fit
            raw = raw[fit * size :]
        return self.next_seq

    def skip_to(self, seq: int) -> None:
        """Skip the numbers up to `seq`, which can no longer be delivered, and go on in a new segment from there."""
        self._check_open()
        if seq < self.next_seq:
            raise LogError(f"skip_to: expected at least seq {self.next_seq}, found {seq}")
        if seq > self.next_seq:
            self._drop_prepared()
            self._prepared = self._background.submit(self._create, seq, self.next_seq)
            self._roll()

    def sync(self) -> bool:
        """Return when every record appended so far survives a power cut; False if the log has been closed meanwhile.

        Not for the control thread.

        Raises:
            OSError: The disk refused; appended records still survive the death of the process.
        """
        with self._lock:
            if self._closed:
                return False
            synced = self._background.submit(self._sync)
        synced.result()
        return True

    def forget(self, next_seq: int) -> int:
        """Delete the sealed segments whose records all come before `next_seq`; return how many. Needs `trim`.

        Raises:
            OSError: The disk refused; the rest stays for a later call, so the log gets no hole.
        """
        deleted = 0
        with self._lock:
            while self.trim and self._sealed and self._sealed[0][0] <= next_seq:
                self._sealed[0][1].unlink(missing_ok=True)
                self._sealed.pop(0)
                deleted += 1
        return deleted

    def close(self) -> None:
        """Seal the newest segment and wait for the disk. A second call does nothing.

        Raises:
            OSError: The disk refused a segment of this log; its records may not survive a power cut.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        finishing = self._background.submit(self._finish, self._segment, self._count)
        self._drop_prepared()
        self._background.shutdown()
        finishing.result()
        if self._unsealed is not None:
            raise self._unsealed  # an earlier segment is not on the disk

    def _check_open(self) -> None:
        if self._closed:
            raise LogError(f"{self.folder}: this log has been closed; open it again to append")

    def _recover(self) -> int:
        """Seal the segments that an earlier writer left open; return the number to go on with."""
        found = recover(self.folder, self._check_same)
        self.damaged = found.damaged
        self._sealed = [(end, path) for _, end, path in found.segments]
        if not found.segments:
            return 0
        first_seq, next_seq, _ = found.segments[-1]
        if first_seq == next_seq:  # an empty segment: the new one takes its name
            self._sealed.pop()
        return next_seq

    def _check_same(self, segment: Segment) -> None:
        schema, actor_id, session_id = self._identity
        lines = segment.schema.diff(schema)
        for name, found, mine in (
            ("actor_id", segment.actor_id, actor_id),
            ("session_id", segment.session_id, session_id),
        ):
            lines += [] if found == mine else [f"{name}: expected {found}, found {mine}"]
        if lines:
            raise LogError(f"{self.folder}: this log is another one; use a new folder ({'; '.join(lines)})")

    def _create(self, first_seq: int, follows: int | None = None) -> tuple[Path, Segment]:
        return seg.create(self.folder, *self._identity, first_seq, self._segment_bytes, follows)

    def _adopt(self, temporary: Path, segment: Segment) -> Segment:
        temporary.replace(segment.path)
        return segment

    def _prepare(self) -> Future[tuple[Path, Segment]]:
        return self._background.submit(self._create, self._segment.first_seq + self._segment.capacity)

    def _roll(self) -> None:
        """Go on in the prepared segment; the full one is sealed in the background."""
        if self.fault is not None:
            self._prepared = self._prepare()  # perhaps there is room by now
        try:
            temporary, prepared = self._prepared.result()
        except OSError:
            self._lacks_room = True
            self._prepared = self._prepare()  # or by the next append
            raise
        self._lacks_room = False
        crashpoint("log.roll.prepared")
        segment = self._adopt(temporary, prepared)
        crashpoint("log.roll.adopted")
        with self._lock:
            full, count = self._segment, self._count
            self._segment, self._count = segment, 0
        self._prepared = self._prepare()
        self._background.submit(self._finish, full, count)

    def _drop_prepared(self) -> None:
        if self._prepared.exception() is None:
            temporary, segment = self._prepared.result()
            temporary.unlink(missing_ok=True)
            os.close(segment.fd)

    def _finish(self, segment: Segment, count: int) -> None:
        try:
            if self._refused is segment:
                seg.write_again(segment, count)
            seg.finish(segment, count)
            sync_folder(self.folder)
        except OSError as error:
            self._unsealed = error  # for good: after a failed fsync the content of the disk is unknown
            raise
        with self._lock:
            self._sealed.append((segment.first_seq + count, segment.path))

    def _sync(self) -> None:
        # Runs on the background thread after all earlier sealing, so no file is closed before it is sealed.
        if self._unsealed is not None:
            raise self._unsealed
        with self._lock:
            segment, count = self._segment, self._count
        crashpoint("log.sync.before")
        if self._refused is segment:
            seg.write_again(segment, count)
        self._refused = segment
        os.fsync(segment.fd)
        self._refused = None
        crashpoint("log.sync.synced")
        seg.mark(segment, count)
        crashpoint("log.sync.marked")
        sync_folder(self.folder)

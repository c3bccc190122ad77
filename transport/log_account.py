"""The account of a log at rest: which records are sound, and which are damaged, missing, lost or unfit."""

from __future__ import annotations

import os
from bisect import bisect_right
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steadyhand.transport import log_folder
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.record import Kind, Place
from steadyhand.transport.record_check import RecordCheck
from steadyhand.transport.segment import Segment
from steadyhand.transport.segment_header import copy_is_sound, read_mark

__all__ = ["BadRange", "LogAccount", "account"]

ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class BadRange:
    """Records of one file that training leaves out, in one state.

    Attributes:
        state: `damaged`: bytes have changed; `missing`: there are none; `lost`: quarantined before, the number is kept;
            `unfit`: numbers that are not finite or not possible.
        first_seq: Number of the first one.
        end_seq: Number after the last one.
        place: Episode and step of the first one, as far as its neighbours tell.
        file: Name of the file.
        first_byte: Place of the first one in the file [bytes].
        end_byte: Place after the last one [bytes].
    """

    state: str
    first_seq: int
    end_seq: int
    place: Place
    file: str
    first_byte: int
    end_byte: int


@dataclass(frozen=True)
class LogAccount:
    """The state of one log.

    Attributes:
        folder: The log.
        actor_id: Id of the recording actor.
        session_id: Id of the session.
        formats: Formats of its files.
        records: Records and places of records.
        bad: Records that are left out, in order.
        episodes: Number of episodes that have such records.
        faults: Damaged headers and marks, one line each. No record depends on them.
    """

    folder: Path
    actor_id: str
    session_id: str
    formats: tuple[int, ...]
    records: int
    bad: tuple[BadRange, ...]
    episodes: int
    faults: tuple[str, ...]

    def count(self, state: str) -> int:
        """Return the number of records in a state."""
        return sum(one.end_seq - one.first_seq for one in self.bad if one.state == state)

    @property
    def is_whole(self) -> bool:
        """Return whether every byte is as it was written; lost records were written as such."""
        return not self.faults and all(one.state == "lost" for one in self.bad)


def account(folder: Path) -> LogAccount:
    """Read every checksum of the log in `folder`; nothing is changed.

    Raises:
        LogError: There is no log, or none of its headers can be read.
    """
    segments = log_folder.open_segments(folder)
    try:
        with closing(LogReader(folder)) as reader:
            states = _states(reader, segments)
            bad = _ranges(reader, segments, states)
            episodes = {one.place.episode_id for one in bad} | _episodes(reader, states)
            return LogAccount(
                folder=folder,
                actor_id=reader.actor_id,
                session_id=reader.session_id,
                formats=tuple(sorted({segment.header.version for segment in segments})),
                records=len(reader) + sum(1 for seq, state in states.items() if state == "missing"),
                bad=tuple(bad),
                episodes=len(episodes),
                faults=tuple(text for segment in segments for text in _faults(segment)),
            )
    finally:
        for segment in segments:
            os.close(segment.fd)


def _states(reader: LogReader, segments: list[Segment]) -> dict[int, str]:
    """Return the state of each record, by number, that is not fit."""
    check, states = RecordCheck(reader.schema), {}
    for first in range(0, len(reader), ROWS_AT_ONCE):
        rows = np.arange(first, min(first + ROWS_AT_ONCE, len(reader)))
        sound = reader.verify(rows)
        numbers, kinds = reader.gather(rows, "seq"), reader.gather(rows, "kind")
        unfit = _unfit(reader, check, rows[sound])
        for row, seq, kind in zip(rows.tolist(), numbers.tolist(), kinds.tolist(), strict=True):
            if not sound[row - first]:
                states[seq] = "damaged"
            elif kind == Kind.LOST:
                states[seq] = "lost"
            elif row in unfit:
                states[seq] = "unfit"
    for before, after in pairwise(segments):
        follows = after.header.follows if after.header.version > 1 else after.first_seq
        end = before.first_seq + len(reader.rows_of(range(before.first_seq, after.first_seq)))
        states |= dict.fromkeys(range(end, follows), "missing")
    last = segments[-1]
    known = last.known()[0]
    states |= dict.fromkeys(range(last.first_seq + min(known, last.room()), last.first_seq + known), "missing")
    return dict(sorted(states.items()))


def _unfit(reader: LogReader, check: RecordCheck, rows: NDArray[np.int64]) -> set[int]:
    if not rows.size:
        return set()
    records = {name: reader.gather(rows, name) for name in check.names}
    return {int(rows[index]) for index in check.faults(records, stored=True)}


def _ranges(reader: LogReader, segments: list[Segment], states: dict[int, str]) -> list[BadRange]:
    firsts = [segment.first_seq for segment in segments]
    found: list[BadRange] = []
    for seq, state in states.items():
        segment = segments[max(0, bisect_right(firsts, seq) - 1)]
        start = segment.offset(seq - segment.first_seq)
        last = found[-1] if found else None
        if last and (last.state, last.end_seq, last.file) == (state, seq, segment.path.name):
            found[-1] = BadRange(
                state, last.first_seq, seq + 1, last.place, last.file, last.first_byte, start + segment.record_bytes
            )
        else:
            rows = reader.rows_of([seq])
            place = _place(reader, int(rows[0]), state) if rows.size else _after(reader, seq)
            found.append(BadRange(state, seq, seq + 1, place, segment.path.name, start, start + segment.record_bytes))
    return found


def _place(reader: LogReader, row: int, state: str) -> Place:
    if state == "damaged":
        return reader.place(row)
    return Place(int(reader.gather([row], "episode_id")[0]), int(reader.gather([row], "step_index")[0]))


def _after(reader: LogReader, seq: int) -> Place:
    """Return the place of a missing record from the one before it."""
    row = reader.locate(seq)[0] - 1
    if row < 0:
        return Place(0, 0)
    before = _place(reader, row, "missing")
    if reader.gather([row], "kind")[0] == Kind.FINAL:
        return Place(before.episode_id + 1, 0)
    return Place(before.episode_id, before.step_index + 1)


def _episodes(reader: LogReader, states: dict[int, str]) -> set[int]:
    rows = reader.rows_of(list(states))
    return set(reader.gather(rows, "episode_id").tolist())


def _faults(segment: Segment) -> list[str]:
    name = segment.path.name
    if segment.header.is_copy:
        return [f"{name}: the header is damaged, its copy or that of another file is used"]
    lines = [] if copy_is_sound(segment.fd, segment.header) else [f"{name}: the copy of the header is damaged"]
    if segment.header.version > 1 and read_mark(segment.fd, segment.header) is None:
        lines.append(f"{name}: the number of its records is damaged; they are counted by their checksums")
    return lines

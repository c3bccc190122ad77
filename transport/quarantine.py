"""The quarantine of a learner: records that are damaged, lost or unfit, by session, and the ban of who sends them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np

from steadyhand.runtime.clock import Clock
from steadyhand.runtime.logging import get_logger
from steadyhand.transport.damage import Damage
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.rate_limit import RateLimit
from steadyhand.transport.record import Place, lost_record, record_dtype
from steadyhand.transport.record_check import RecordCheck
from steadyhand.transport.recovery import number_text
from steadyhand.transport.schema import Schema
from steadyhand.transport.wire import Lost, Wanted

__all__ = ["MAX_UNFIT", "Quarantine"]

MAX_UNFIT, BAN_S = 64, 60.0  # unfit records of one actor within the time, then it is banned for as long
MAX_ACTORS = 1024  # whose unfit records are counted
SHOWN = 8  # unfit records of one message that are logged

_log = get_logger("transport.quarantine")


class Quarantine:
    """Keeps bad records out of training without stopping those behind them. The intake's lock guards it.

    A record that its actor has lost, or that has impossible numbers, is stored as a lost record, which keeps its
    number. A record that is damaged in the learner's own log is wanted from its actor again.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._damage: dict[str, Damage] = {}
        self._checks: dict[str, RecordCheck] = {}
        self._schemas: dict[str, Schema] = {}
        self._counts: dict[str, int] = {}  # lost and unfit records, since this start
        self._unfit = RateLimit(MAX_UNFIT, BAN_S, MAX_ACTORS, clock)

    def watch(self, session_id: str, schema: Schema) -> None:
        """Take in a session."""
        if session_id not in self._damage:
            self._schemas[session_id] = schema
            self._checks[session_id] = RecordCheck(schema)
            self._damage[session_id] = Damage(self._folder / session_id, record_dtype(schema).itemsize)

    def count(self, session_id: str) -> int:
        """Return the number of records of a session that training leaves out, as far as they are known."""
        return self._counts.get(session_id, 0) + len(self._damage.get(session_id, ()))

    def total(self) -> int:
        """Return the number of such records over all sessions."""
        return sum(map(self.count, list(self._damage)))

    def first_damaged(self, session_id: str) -> int | None:
        """Return the lowest number of a session that is damaged in the learner's log; None without any."""
        return self._damage[session_id].first if session_id in self._damage else None

    def wanted(self, session_id: str) -> Wanted | None:
        """Return the next records of a session to ask its actor for; None without damage."""
        return self._damage[session_id].wanted() if session_id in self._damage else None

    def report(self, session_id: str, numbers: Iterable[int]) -> None:
        """Take in records of the learner's log that turned out to be damaged."""
        if session_id in self._damage and (new := self._damage[session_id].add(numbers)):
            where = f"session {session_id}, seq {number_text(new)}"
            _log.error("%s: damaged in this learner's log; not trained on, its actor is asked for them", where)

    def mend(self, session_id: str, frame: memoryview) -> list[int]:
        """Repair the damaged ones of some sound records; return their numbers.

        Raises:
            LogError: A segment cannot be opened.
            OSError: The disk refused.
        """
        if not self._damage[session_id]:
            return []
        frame, faults = self.screen(session_id, frame)
        mended = self._damage[session_id].mend(frame)
        self._counts[session_id] = self._counts.get(session_id, 0) + len(faults.keys() & set(mended))
        if mended:
            _log.info("session %s, seq %s: repaired from its actor's copy", session_id, number_text(mended))
        return mended

    def screen(self, session_id: str, frame: memoryview) -> tuple[memoryview, dict[int, str]]:
        """Return sound records with a lost one in the place of each that is unfit, and the faults by number."""
        dtype = record_dtype(self._schemas[session_id])
        records = np.frombuffer(frame, dtype)
        faults = self._checks[session_id].faults(records)
        if not faults:
            return frame, {}
        screened = bytearray(frame)
        by_number: dict[int, str] = {}
        for index, text in faults.items():
            seq, place = int(records["seq"][index]), _place(records[index])
            screened[index * dtype.itemsize : (index + 1) * dtype.itemsize] = lost_record(dtype, seq, place)
            by_number[seq] = f"{place}: {text}"
        return memoryview(bytes(screened)), by_number

    def note_unfit(self, session_id: str, actor_id: str, faults: dict[int, str]) -> bool:
        """Count unfit records that were left out; return whether their actor is banned now."""
        self._counts[session_id] = self._counts.get(session_id, 0) + len(faults)
        for seq in sorted(faults)[:SHOWN]:
            _log.error("session %s, seq %d, %s; quarantined", session_id, seq, faults[seq])
        if len(faults) > SHOWN:
            _log.error("session %s: %d more unfit records; quarantined", session_id, len(faults) - SHOWN)
        spent = [self._unfit.count(actor_id) for _ in range(min(len(faults), MAX_UNFIT))]
        if any(spent):
            _log.error("banned %s for %.0f s: it sent %d unfit records", actor_id, BAN_S, MAX_UNFIT)
        return any(spent)

    def objections(self, actor_id: str) -> list[str]:
        """Return the reason against an actor that has sent too many unfit records lately."""
        if not self._unfit.exceeded(actor_id):
            return []
        return [
            f"actor_id {actor_id}: banned, as it sent {MAX_UNFIT} unfit records within {BAN_S:.0f} s; "
            "the learner's log names the fields; fix them, and try again in a minute"
        ]

    def lost_frame(self, session_id: str, lost: Lost) -> bytes:
        """Return the records that are stored in the place of those that an actor has lost."""
        dtype = record_dtype(self._schemas[session_id])
        return b"".join(
            lost_record(dtype, lost.first_seq + step, Place(lost.episode_id, lost.step_index + step))
            for step in range(lost.count)
        )

    def placed(self, session_id: str, lost: Lost) -> Lost:
        """Return a loss with episode and step as the records around it in the learner's own log tell them.

        An actor that has forgotten a record, as the learner once held it, does not know its place any more.

        Raises:
            LogError: The log cannot be read.
            OSError: The disk refused.
        """
        with closing(LogReader(self._folder / session_id)) as reader:
            rows = reader.rows_of(range(lost.first_seq, lost.first_seq + lost.count))
            if not rows.size or reader.verify(rows)[0]:
                return lost
            place = reader.place(int(rows[0]))
        return msgspec.structs.replace(lost, episode_id=place.episode_id, step_index=place.step_index)

    def note_lost(self, session_id: str, lost: Lost, count: int) -> None:
        """Count and log records that their actor has lost."""
        self._counts[session_id] = self._counts.get(session_id, 0) + count
        numbers = number_text(range(lost.first_seq, lost.first_seq + lost.count))
        where = f"session {session_id}, seq {numbers}, episode {lost.episode_id}, step {lost.step_index}"
        _log.error("%s: damaged or missing in its actor's log; quarantined, all others are stored", where)


def _place(record: np.void) -> Place:
    """Return the place that a record states, within what a lost record can hold."""
    step = int(record["step_index"])
    return Place(min(max(int(record["episode_id"]), 0), 1 << 40), max(step, 0))

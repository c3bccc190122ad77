"""One session of a learner while its actor is connected: its log, and the storage of what arrives."""

from __future__ import annotations

from dataclasses import dataclass, field

from steadyhand.runtime.crashpoint import crashpoint
from steadyhand.runtime.logging import get_logger
from steadyhand.transport.delivery import ReceiverState
from steadyhand.transport.log import LogError, LogWriter
from steadyhand.transport.quarantine import Quarantine
from steadyhand.transport.record import sound_prefix
from steadyhand.transport.wire import Hello, Lost, WireError

__all__ = ["OpenSession", "Taken"]

_log = get_logger("transport.session")


@dataclass
class Taken:
    """The outcome of one message of records.

    Attributes:
        news: Numbers that were stored for the first time.
        mended: Numbers that were damaged before.
        next_seq: The first record that is not stored.
        banned: Whether the actor has sent too many unfit records.
    """

    news: range
    mended: list[int] = field(default_factory=list)
    next_seq: int = 0
    banned: bool = False


class OpenSession:
    """Stores the records of one session in its log; the intake's lock guards it.

    Args:
        hello: The HELLO that was accepted.
        writer: The session's log.
        receiver: The number that each session is expected to send next.
        quarantine: Takes records that must not be trained on.
        heard_ns: Time of the HELLO [ns], monotonic.
    """

    def __init__(
        self, hello: Hello, writer: LogWriter, receiver: ReceiverState, quarantine: Quarantine, heard_ns: int
    ) -> None:
        self.session_id, self.actor_id, self.writer, self.heard_ns = hello.session_id, hello.actor_id, writer, heard_ns
        self._receiver, self._quarantine = receiver, quarantine
        self._size = writer.dtype.itemsize

    def take(self, first_seq: int, count: int, frame: bytes) -> Taken:
        """Store the new ones of `count` sealed records, and repair damaged ones with the others.

        Raises:
            WireError: The frame is not `count` sound records.
            OSError: The disk is full.
        """
        if len(frame) != count * self._size:
            raise WireError(f"records: expected {count} of {self._size} bytes, found a frame of {len(frame)} bytes")
        old, taken = self._begin(first_seq, count)
        raw = memoryview(frame)
        if old and self._quarantine.first_damaged(self.session_id) is not None:
            self._check_sound(raw[: old * self._size], first_seq)
            taken.mended = self._mend(raw[: old * self._size])
        if taken.news:
            self._check_sound(raw[old * self._size :], taken.news.start)
            news, faults = self._quarantine.screen(self.session_id, raw[old * self._size :])
            self._append(news, taken.news.start)
            taken.banned = bool(faults) and self._quarantine.note_unfit(self.session_id, self.actor_id, faults)
        return self._end(taken)

    def take_lost(self, lost: Lost, max_bytes: int) -> Taken:
        """Store lost records in the place of those that the actor cannot send.

        Raises:
            WireError: More records than a message of `max_bytes` could carry.
            OSError: The disk is full.
        """
        if lost.count * self._size > max_bytes:
            raise WireError(f"lost: expected at most {max_bytes // self._size} records at once, found {lost.count}")
        old, taken = self._begin(lost.first_seq, lost.count)
        if old and self._quarantine.first_damaged(self.session_id) is not None:
            lost = self._placed(lost)
        raw = memoryview(self._quarantine.lost_frame(self.session_id, lost))
        if old:
            taken.mended = self._mend(raw[: old * self._size])
        if taken.news:
            self._append(raw[old * self._size :], taken.news.start)
        if taken.news or taken.mended:
            self._quarantine.note_lost(self.session_id, lost, len(taken.news) + len(taken.mended))
        return self._end(taken)

    def _begin(self, first_seq: int, count: int) -> tuple[int, Taken]:
        """Return how many of the records are stored already, and which ones are new."""
        old = max(0, min(self._receiver.next_seq(self.session_id) - first_seq, count))
        return old, Taken(self._receiver.news(self.session_id, first_seq, count))

    def _end(self, taken: Taken) -> Taken:
        taken.next_seq = self._receiver.next_seq(self.session_id)
        return taken

    def _placed(self, lost: Lost) -> Lost:
        try:
            return self._quarantine.placed(self.session_id, lost)
        except LogError as error:
            _log.error("session %s: the place of a lost record is unknown: %s", self.session_id, error)
            return lost

    def _mend(self, frame: memoryview) -> list[int]:
        try:
            return self._quarantine.mend(self.session_id, frame)
        except LogError as error:
            _log.error("session %s: cannot be repaired: %s", self.session_id, error)
            return []

    def _append(self, frame: memoryview, first_seq: int) -> None:
        try:
            self.writer.append_frame(frame, first_seq, checked=True)
            crashpoint("intake.records.appended")
        finally:
            self._receiver.on_stored(self.session_id, self.writer.next_seq)

    def _check_sound(self, frame: memoryview, first_seq: int) -> None:
        if sound_prefix(frame, self._size, first_seq) * self._size != len(frame):
            raise WireError(f"records: expected sound ones from seq {first_seq}, found a wrong number or checksum")

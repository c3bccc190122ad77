"""Selection of the records of the actor's log to send next."""

from __future__ import annotations

from pathlib import Path

import msgspec

from steadyhand.runtime.logging import escaped, get_logger
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.delivery import SenderState
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.run_identity import UNKNOWN
from steadyhand.transport.wire import MAX_LOST, Accept, Hello, Lost, Records, Reject

__all__ = ["Behind", "Outbox", "Rejected"]

_log = get_logger("transport.outbox")

# Several frames share the window, so that one is stored while the next one travels. No more of them are on their way,
# though they may be small: what a learner that is behind has not room for goes into the next frame. It takes a message
# of each actor in turn, so with a message for each record an actor of twice the rate would get half of its own through.
FRAMES_PER_WINDOW = 4


class Rejected(RuntimeError):  # noqa: N818 - it is the answer to a HELLO, not a failure of the link
    """The learner refused the session; `reasons` has one readable line each."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = [escaped(reason) for reason in reasons]
        super().__init__(f"the learner refused this session: {'; '.join(self.reasons)}")


class Behind(Rejected):
    """The learner holds records up to `next_seq` that this log has lost, in a power cut: go on from there."""

    def __init__(self, next_seq: int, end: int) -> None:
        super().__init__([f"it holds this session up to seq {next_seq}, this log only up to {end}; go on from there"])
        self.next_seq = next_seq


class Outbox:
    """Cuts a log into frames, starting where the learner waits, within the window of `SenderState`."""

    def __init__(self, folder: Path, config: TransportConfig) -> None:
        """Open the log in `folder` for the one thread that uses this object."""
        self._folder = folder
        self._reader = LogReader(folder)
        self.session_id = self._reader.session_id
        size = self._reader.dtype.itemsize
        if size > config.max_frame_bytes:
            raise ValueError(
                f"max_frame_bytes: expected at least one record of {size} bytes, found {config.max_frame_bytes}"
            )
        self._batch = max(1, min(config.max_frame_bytes // size, config.window_records // FRAMES_PER_WINDOW))
        self.sender = SenderState(config.window_records)
        self._learner = UNKNOWN  # identity of the learner that has accepted the session
        self.hole_end: int | None = None  # set when the log has lost the record that is due: its next number
        self.damaged: set[int] = set()  # numbers of damaged records that the learner was told of
        self._sent = 0  # records before it were sent once, and are checked again before they are repeated

    def check(self, hello: Hello) -> None:
        """Refuse the HELLO of another session than the log's.

        Raises:
            ValueError: The HELLO is of another session.
        """
        if hello.session_id != self.session_id:
            raise ValueError(f"hello: expected the session of the log, {self.session_id}, found {hello.session_id}")

    def introduce(self, hello: Hello) -> Hello:
        """Return the HELLO with the oldest record that can still be sent, looking at the whole log afresh.

        Once a learner has accepted the session, the session belongs to that learner's run; another learner refuses it.
        """
        self._reader.close()
        self._reader = LogReader(self._folder)
        first_seq = self._reader.first_seq if self.hole_end is None else self.hole_end
        identity = hello.identity
        if self._learner.run_id and not identity.run_id:
            identity = identity.of_run(self._learner)
        return msgspec.structs.replace(hello, first_seq=first_seq, identity=identity)

    def admit(self, answer: Accept | Reject) -> Accept:
        """Go on from the record that the learner waits for.

        Raises:
            Rejected: The learner refuses.
            Behind: It holds records that this log has lost; their numbers must not be used twice.
        """
        if isinstance(answer, Reject):
            raise Rejected(answer.reasons)
        end = self._reader.next_seq
        if answer.next_seq > end:
            raise Behind(answer.next_seq, end)
        self._learner = answer.identity
        self.sender = SenderState(self.sender.window, answer.next_seq)
        self.hole_end = None
        return answer

    def look(self) -> None:
        """Take in the records appended to the log."""
        self._reader.refresh()

    def next_frame(self) -> tuple[Records | Lost, bytes | None] | None:
        """Return the next message and its frame, and count it as sent; None when nothing may be sent now.

        A damaged record is never sent: the learner would refuse it, and all records behind it would wait for ever.
        """
        span = self.sender.sendable(self._reader.next_seq)
        if not span or self.sender.messages >= FRAMES_PER_WINDOW:
            return None
        lo, end = self._reader.locate(span.start)
        # After a power cut the log may end in a hole, before a newest file that is empty.
        found = self._reader.seq_at(lo) if lo < len(self._reader) else self._reader.next_seq
        if found != span.start:
            # Records in transit must arrive first: skipping the hole would skip them too.
            self.hole_end = None if self.sender.under_way else found
            return None
        again = span.start < self._sent  # it was refused, or went astray
        message, frame = self._frame(self._reader, lo, min(end, lo + len(span), lo + self._batch), again)
        self.sender.on_sent(found + message.count)
        self._sent = max(self._sent, self.sender.sent)
        return message, frame

    def answer(self, first_seq: int, count: int) -> tuple[Records | Lost, bytes | None]:
        """Return the first of the records that the learner wants again, or the news that they are lost.

        The learner asks again for the rest. The log is looked at afresh: a file that the learner was known to hold may
        still be there.
        """
        reader = LogReader(self._folder)
        try:
            lo, hi = reader.locate(first_seq)
            found = reader.seq_at(lo) if lo < len(reader) else first_seq + count
            if found > first_seq:
                return Lost(first_seq, min(found - first_seq, count, self._batch, MAX_LOST), 0, 0), None
            return self._frame(reader, lo, min(hi, lo + count, lo + self._batch), again=True)
        finally:
            reader.close()

    def _frame(self, reader: LogReader, lo: int, hi: int, again: bool) -> tuple[Records | Lost, bytes | None]:
        """Return the message of rows [lo, hi) up to the first damaged one, or of damaged rows up to the next sound."""
        seq = reader.seq_at(lo)
        count = reader.sound_run(lo, hi, again)
        if count > 0:
            return Records(seq, count), reader.frame(lo, lo + count)
        count = min(-count, MAX_LOST)
        for row in range(lo, lo + count):
            self._report(reader, row)
        place = reader.place(lo)
        return Lost(seq, count, place.episode_id, place.step_index), None

    def _report(self, reader: LogReader, row: int) -> None:
        seq = reader.seq_at(row)
        if seq not in self.damaged:
            self.damaged.add(seq)
            where = f"session {self.session_id}, seq {seq}, {reader.place(row)}"
            _log.error("%s: the record is damaged in this machine's log; it is left out, all others are sent", where)

    def on_ack(self, next_seq: int) -> bool:
        """Take an acknowledgement; return whether it was new."""
        return self.sender.on_ack(next_seq)

    def on_durable(self, durable_seq: int) -> None:
        """Forget the records that survive a power cut of the learner: it never asks for them again."""
        self._reader.forget(durable_seq)

    def close(self) -> None:
        """Close the log."""
        self._reader.close()

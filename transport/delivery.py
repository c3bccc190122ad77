"""Exactly-once delivery as two state machines, independent of sockets and clocks.

The sender numbers records without a gap, keeps a window of them in transit, and goes back to the oldest unacknowledged
one when the receiver repeats itself. The receiver stores a record only when it is the next one of its session, and
acknowledges the number it waits for. Even if the wire loses, repeats or swaps messages, the stored records are a prefix
of the sent ones. After a restart of either side, both go on from the receiver's `next`, which it reads from its logs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

__all__ = ["ReceiverState", "SenderState"]


class SenderState:
    """State of one session's sender: the records sent and stored. Numbers are `seq`; ranges exclude their end."""

    def __init__(self, window: int, next_seq: int = 0) -> None:
        """Start at the number that the receiver waits for.

        Args:
            window: Largest number of records in transit.
            next_seq: The number that the receiver waits for.
        """
        self.window = window
        self.acked = next_seq  # everything before it is stored
        self.sent = next_seq  # the next one to send
        self._went_back_at = -1
        self._ends: deque[int] = deque()  # of the messages that have been sent and not acknowledged

    @property
    def messages(self) -> int:
        """Return how many messages have been sent and not acknowledged."""
        return len(self._ends)

    @property
    def under_way(self) -> int:
        """Return how many records have been sent and not acknowledged."""
        return self.sent - self.acked

    def sendable(self, end: int) -> range:
        """Return the numbers that may be sent now, when the log holds everything before `end`."""
        return range(self.sent, max(self.sent, min(end, self.acked + self.window)))

    def on_sent(self, next_seq: int) -> None:
        """Note that everything before `next_seq` has been handed to the wire, the newest part as one message."""
        self.sent = next_seq
        self._ends.append(next_seq)

    def on_ack(self, next_seq: int) -> bool:
        """Take an acknowledgement of everything before `next_seq`; return whether it was new.

        A repeated one means that the receiver got another record than the one it waits for. The window is then sent
        again, once for each place: one loss makes the receiver repeat itself for every record behind it.
        """
        if next_seq > self.acked:
            self.acked = next_seq
            self.sent = max(self.sent, next_seq)
            while self._ends and self._ends[0] <= next_seq:
                self._ends.popleft()
            return True
        if next_seq == self.acked and self.under_way and self._went_back_at != next_seq:
            self._went_back_at = next_seq
            self._go_back()
        return False

    def on_silence(self) -> None:
        """Send the window again after too long a time without an answer."""
        self._go_back()

    def _go_back(self) -> None:
        self.sent = self.acked
        self._ends.clear()


class ReceiverState:
    """The number that each session is expected to send next."""

    def __init__(self, next_by_session: Mapping[str, int] | None = None) -> None:
        """Start from the contents of the logs."""
        self._next = dict(next_by_session or {})

    def next_seq(self, session_id: str) -> int:
        """Return the number that the session's next record must have, which is the acknowledged number."""
        return self._next.get(session_id, 0)

    def news(self, session_id: str, first_seq: int, count: int) -> range:
        """Return which of records [first_seq, first_seq + count) are to be stored now.

        Empty after a gap, and for duplicates; the tail when a part is a duplicate.
        """
        expected = self.next_seq(session_id)
        return range(expected, first_seq + count) if first_seq <= expected else range(0)

    def on_stored(self, session_id: str, next_seq: int) -> None:
        """Note that everything before `next_seq` is in the session's log."""
        self._next[session_id] = next_seq

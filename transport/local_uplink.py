"""The uplink without sockets, for learner and actor in one process."""

from __future__ import annotations

from steadyhand.runtime.logging import get_logger
from steadyhand.transport.intake import Intake
from steadyhand.transport.log import LogError, LogReader
from steadyhand.transport.open_sessions import UnknownSessionError
from steadyhand.transport.outbox import Outbox, Rejected
from steadyhand.transport.uplink import Progress, WeightsBox
from steadyhand.transport.weights import Weights
from steadyhand.transport.wire import Accept, Ack, Hello, Lost, Records, WireError

__all__ = ["LocalUplink"]

_log = get_logger("transport.uplink")


class LocalUplink:
    """Learner and actor in one process: a record is in the learner's log when `notify` returns."""

    def __init__(self, intake: Intake, reader: LogReader) -> None:
        """Carry the log of `reader` into `intake`; the uplink opens the log for itself."""
        self._intake = intake
        self._outbox = Outbox(reader.folder, intake.config)
        self._weights = WeightsBox()
        self._weights_seen: bytes | None = None
        self._hello: Hello | None = None
        self._connected = False

    def connect(self, hello: Hello, timeout_s: float) -> Accept:
        """See `Uplink.connect`; the answer comes at once, for any `timeout_s`."""
        self._outbox.check(hello)
        accept = self._greet(hello)
        self._hello = hello
        self.notify()
        return accept

    def notify(self) -> None:
        """Store the new records of the log. A learner's fault (a full disk) only disconnects: the log keeps them."""
        if self._hello is None:
            return
        try:
            if not (self._connected and self._intake.is_open(self._hello.session_id)):
                self._greet(self._hello)
            self._send(self._hello)
        except (OSError, LogError, Rejected, UnknownSessionError, WireError) as error:
            self._connected = False
            _log.warning("the learner takes no records: %s", error)

    def progress(self) -> Progress:
        """See `Uplink.progress`."""
        if self._hello is None:
            return Progress()
        status = self._intake.status(self._hello.session_id)
        return Progress.of(self._connected, self._outbox.sender.acked, status)

    def latest_weights(self) -> Weights | None:
        """See `Uplink.latest_weights`."""
        raw = self._intake.newest_weights
        if raw is not None and raw is not self._weights_seen:
            self._weights_seen = raw
            self._weights.put(raw)
        return self._weights.take()

    def close(self) -> None:
        """See `Uplink.close`."""
        if self._hello is not None:
            self._intake.bye(self._hello.session_id)
            self._hello, self._connected = None, False
        self._outbox.close()

    def _greet(self, hello: Hello) -> Accept:
        accept = self._outbox.admit(self._intake.hello(self._outbox.introduce(hello)))
        self._connected = True
        return accept

    def _send(self, hello: Hello) -> None:
        self._intake.heartbeat(hello.session_id)
        self._outbox.look()
        while True:
            while (batch := self._outbox.next_frame()) is not None:
                ack = self._hand_over(hello.session_id, *batch)
                self._outbox.on_ack(ack.next_seq)
                self._outbox.on_durable(ack.status.durable_seq)
            if self._outbox.hole_end is None:
                break
            self._greet(hello)
        asked = None
        while (wanted := self._intake.wanted(hello.session_id)) not in (None, asked):
            asked = wanted
            self._hand_over(hello.session_id, *self._outbox.answer(wanted.first_seq, wanted.count))

    def _hand_over(self, session_id: str, message: Records | Lost, frame: bytes | None) -> Ack:
        if isinstance(message, Lost):
            return self._intake.lost(session_id, message)
        return self._intake.records(session_id, message.first_seq, message.count, frame or b"")

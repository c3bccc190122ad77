"""The uplink over ZeroMQ: a DEALER for the records and a SUB for the weights, on a thread of their own."""

from __future__ import annotations

import random
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import replace

import zmq

from steadyhand.runtime.clock import Clock
from steadyhand.runtime.crashpoint import crashpoint
from steadyhand.runtime.logging import get_logger
from steadyhand.transport import wire
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.handshake import HandshakeMonitor, confirmed, explain
from steadyhand.transport.keys import fingerprint, learner_key, own_keys
from steadyhand.transport.learner_link import Attempt, LearnerLink
from steadyhand.transport.log import LogReader
from steadyhand.transport.outbox import Outbox, Rejected
from steadyhand.transport.socket_thread import SocketThread, check_address
from steadyhand.transport.uplink import Progress, UplinkTimeout, WeightsBox
from steadyhand.transport.weights import Weights
from steadyhand.transport.wire import (
    Accept,
    Ack,
    Bye,
    Heartbeat,
    Hello,
    Reject,
    Status,
    Wanted,
    WeightsReply,
    WeightsRequest,
    WireError,
)

__all__ = ["ZmqUplink"]

SLOWEST_BYTES_S = 1e6  # of a link that is still waited for while weights come over it
MAX_WIRE_ERRORS = 8  # of one connection, then another one is made

_log = get_logger("transport.uplink")


class ZmqUplink(SocketThread):
    """Sends the actor's log to a learner that may disconnect and come back; see `Uplink` for the contract."""

    def __init__(self, config: TransportConfig, reader: LogReader, clock: Clock | None = None) -> None:
        """Carry the log of `reader`; the uplink opens the log for itself. Nothing is sent before `connect`.

        Raises:
            InsecureAddressError: The learner is on another machine, and there are no keys.
            KeysError: The keys are missing, or others could read them.
        """
        keys = config.keys_folder
        for address in (config.address, config.weights_address):
            check_address(address, keys is not None)
        own, learner = (None, None) if keys is None else (own_keys(keys), learner_key(keys))
        self._outbox = Outbox(reader.folder, config)
        super().__init__("actor sockets", config, clock)
        self._fingerprints: tuple[str | None, str | None] = (None, None)
        if own is not None and learner is not None:
            self._fingerprints = fingerprint(own.public), fingerprint(learner)
            self._curve = {
                zmq.CURVE_SERVERKEY: learner,
                zmq.CURVE_PUBLICKEY: own.public,
                zmq.CURVE_SECRETKEY: own.secret,
            }
        self._weights = WeightsBox()
        self._progress = Progress()
        self._attempt: Attempt | None = None
        self._link: LearnerLink | None = None
        self._retry_s = 0.0
        self._backoff_s = config.backoff_min_s
        # Whether the subscription may have been refused, which ZeroMQ does not retry, or may lead to no learner.
        self._deaf = False
        self._sub = self._subscribe()

    def connect(self, hello: Hello, timeout_s: float) -> Accept:
        """See `Uplink.connect`. May be called again after a failure."""
        self._outbox.check(hello)
        attempt = self._attempt = Attempt(hello, Future())
        self.start()
        self.wake()
        try:
            return attempt.answer.result(timeout_s)
        except FutureTimeoutError:
            self._attempt = None
            self.wake()
            raise UplinkTimeout(
                f"learner: expected an answer from {self.config.address} within {timeout_s:.1f} s, found none; "
                "is `steadyhand learn` running there?"
            ) from self.failure

    def notify(self) -> None:
        """See `Uplink.notify`: one write to an eventfd."""
        self.wake()

    def progress(self) -> Progress:
        """See `Uplink.progress`."""
        return self._progress if self.failure is None else replace(self._progress, connected=False)

    def latest_weights(self) -> Weights | None:
        """See `Uplink.latest_weights`."""
        return self._weights.take()

    def _step(self) -> None:
        ready = self._wait(self._idle_s())
        if self._sub in ready:
            self._weights.put(self._sub.recv(zmq.NOBLOCK))
        link = self._link
        try:
            if link is not None and link.dealer in ready:
                self._receive(link)
            if link is not None and link is self._link and link.monitor.socket in ready:
                self._look_at_handshake(link)
            self._advance()
        except OSError as error:  # the disk refused a read; it may not do so the next time
            if self._link is None:
                raise
            self._lost(self._link, f"this machine's log cannot be read ({error})")

    def _leave(self) -> None:
        if self._link is not None:
            self._send(self._link, wire.encode(Bye()))
        self._outbox.close()

    def _idle_s(self) -> float:
        """Return the time until something is due, at most a heartbeat."""
        now, due = self._now_s(), [self.config.heartbeat_s]
        if self._link is not None:
            due += [self._link.silent_s - now, self._link.beat_s - now]
        elif self._attempt is not None:
            due.append(self._retry_s - now)
        return min(due)

    def _advance(self) -> None:
        """Do what is due."""
        now, attempt, link = self._now_s(), self._attempt, self._link
        if link is None:
            if attempt is not None and now >= self._retry_s:
                self._dial(attempt)
        elif link.attempt is not attempt:
            self._hang_up(link)
            self._retry_s = now
        elif now >= link.silent_s:
            self._lost(link, "it is silent")
        elif link.accepted:
            self._send_records(link)
            if now >= link.beat_s:
                link.beat_s = now + self.config.heartbeat_s
                self._send(link, wire.encode(Heartbeat()))

    def _dial(self, attempt: Attempt) -> None:
        now = self._now_s()
        dealer = self._socket(zmq.DEALER, self.config.window_records, self.config.max_weights_bytes)
        monitor = HandshakeMonitor(dealer)
        dealer.connect(self.config.address)
        silent_s = now + self.config.liveness_s
        self._link = LearnerLink(attempt, dealer, monitor, silent_s, now + self.config.heartbeat_s, silent_s)
        self._link.join(self._poller)
        self._greet(self._link)

    def _subscribe(self) -> zmq.Socket[bytes]:
        sub = self._socket(zmq.SUB, 1, self.config.max_weights_bytes, conflate=True)
        sub.setsockopt(zmq.SUBSCRIBE, b"")
        sub.connect(self.config.weights_address)
        self._poller.register(sub, zmq.POLLIN)
        return sub

    def _look_at_handshake(self, link: LearnerLink) -> None:
        """Raise the failed handshake in a waiting `connect`; later on, log it and keep trying."""
        failure = confirmed(link.monitor.failure(), self.config.address, keyed=bool(self._curve))
        if not failure:
            return
        error = explain(self.config.address, failure, *self._fingerprints)
        self._lost(link, str(error))
        if link.attempt.answer.done():
            _log.warning("%s; trying again", error)
        else:
            self._attempt = None
            link.attempt.answer.set_exception(error)

    def _greet(self, link: LearnerLink) -> None:
        """Say HELLO; no record is sent before the learner's answer gives the first one."""
        link.accepted = False
        self._send(link, wire.encode(self._outbox.introduce(link.attempt.hello)))

    def _send_records(self, link: LearnerLink) -> None:
        if not self._outbox.sender.under_way:
            link.stalled_s = self._now_s() + self.config.liveness_s
        elif self._now_s() >= link.stalled_s:
            link.stalled_s = self._now_s() + self.config.liveness_s
            self._outbox.sender.on_silence()
        self._outbox.look()
        while (batch := self._outbox.next_frame()) is not None:
            crashpoint("uplink.send.before")
            self._send(link, wire.encode(*batch))
            crashpoint("uplink.send.after")
        if self._outbox.hole_end is not None:
            self._greet(link)

    def _receive(self, link: LearnerLink) -> None:
        try:
            message, raw = wire.decode(self._receive_frames(link.dealer)[0], "learner")
        except WireError as error:
            link.wire_errors += 1
            _log.warning("ignored a message of the learner: %s", error)
            if link.wire_errors == MAX_WIRE_ERRORS:
                self._lost(link, f"it sent {MAX_WIRE_ERRORS} bad messages")
            return
        link.silent_s = self._now_s() + self.config.liveness_s
        match message:
            case Accept() | Reject():
                self._on_answer(link, message)
            case Ack(next_seq, status):
                crashpoint("uplink.ack")
                if self._outbox.on_ack(next_seq):
                    link.stalled_s = link.silent_s
                self._note(link, status)
            case Wanted(first_seq, count):
                if link.accepted:
                    self._send(link, wire.encode(*self._outbox.answer(first_seq, count)))
            case Heartbeat(status):
                self._note(link, status)
            case WeightsReply():
                self._weights.put(raw)
            case Bye():
                self._lost(link, "it says goodbye")

    def _on_answer(self, link: LearnerLink, message: Accept | Reject) -> None:
        answer = link.attempt.answer
        try:
            accept = self._outbox.admit(message)
        except Rejected as rejected:
            self._lost(link, str(rejected))
            if answer.done():
                _log.warning("%s; trying again", rejected)
            else:
                self._attempt = None
                answer.set_exception(rejected)
            return
        link.accepted = True
        # The weights that are asked for below come over the same connection, ahead of the signs of life.
        link.silent_s += min(accept.weights_bytes, self.config.max_weights_bytes) / SLOWEST_BYTES_S
        link.learner_epoch = accept.learner_epoch
        self._backoff_s = self.config.backoff_min_s
        if self._deaf:
            self._deaf = False
            self._poller.unregister(self._sub)
            self._sub.close(linger=0)
            self._sub = self._subscribe()
        self._ask_for_weights(link)
        self._note(link, accept.status)
        if not answer.done():
            answer.set_result(accept)

    def _note(self, link: LearnerLink, status: Status | None) -> None:
        if status is None:
            return
        self._outbox.on_durable(status.durable_seq)
        self._progress = Progress.of(link.accepted, self._outbox.sender.acked, status)
        # A broadcast may be lost and never repeated: an actor that waits for weights records nothing.
        if not self._weights.lacks(link.learner_epoch, status.policy_version):
            link.claim_s = self._now_s() + self.config.heartbeat_s
        elif link.accepted and self._now_s() >= link.claim_s:
            self._ask_for_weights(link)

    def _ask_for_weights(self, link: LearnerLink) -> None:
        link.claim_s = self._now_s() + self.config.heartbeat_s
        self._send(link, wire.encode(WeightsRequest()))

    def _lost(self, link: LearnerLink, why: str) -> None:
        """Try again after a delay that doubles every time, with jitter so that actors do not reconnect in step."""
        if link.accepted:
            _log.warning("lost the learner at %s: %s; records wait in the log", self.config.address, why)
        self._hang_up(link)
        self._deaf = True
        self._retry_s = self._now_s() + self._backoff_s * random.uniform(0.5, 1.0)
        self._backoff_s = min(2 * self._backoff_s, self.config.backoff_max_s)

    def _hang_up(self, link: LearnerLink) -> None:
        link.leave(self._poller)
        self._link = None
        self._progress = replace(self._progress, connected=False)

    def _send(self, link: LearnerLink, frames: list[bytes]) -> None:
        if not link.send(frames):
            link.stalled_s = self._now_s()  # the queue is full: send the window again once it has moved

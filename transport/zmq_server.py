"""The learner's sockets: a ROUTER for the sessions and a PUB for the weights, on a thread of their own."""

from __future__ import annotations

import zmq

from runtime.clock import Clock
from runtime.logging import get_logger
from transport import wire
from transport.config import TransportConfig
from transport.intake import Intake, UnknownSessionError
from transport.socket_thread import SocketThread, check_loopback
from transport.wire import (
    Accept,
    Bye,
    Heartbeat,
    Hello,
    Message,
    Records,
    Status,
    WeightsReply,
    WeightsRequest,
    WireError,
)

__all__ = ["ZmqServer"]

MAX_WIRE_ERRORS = 8  # of one connection, then it is not listened to any more
MAX_COUNTED = 1024  # connections whose errors are remembered

_log = get_logger("transport.server")


class ZmqServer(SocketThread):
    """Serves an `Intake` over ZeroMQ. Listens from construction on.

    A connection's ZeroMQ identity only says where to answer; who is there, the HELLO says.
    """

    def __init__(self, intake: Intake, config: TransportConfig, clock: Clock | None = None) -> None:
        """Bind both addresses and start; port 0 takes a free one, see `address` and `weights_address`.

        Raises:
            InsecureAddressError: Other machines could connect, and there are no keys.
            zmq.ZMQError: The address is taken.
        """
        check_loopback(config.address)
        check_loopback(config.weights_address)
        super().__init__("learner sockets", config, clock)
        self.intake = intake
        self.wire_errors = 0  # messages that were refused, in all
        self._peers: dict[bytes, str] = {}  # connection -> session id
        self._told: dict[str, Status] = {}  # session id -> the last status it was sent
        self._errors: dict[bytes, int] = {}
        self._published: bytes | None = None
        self._beat_s = 0.0
        self._router = self._socket(zmq.ROUTER, config.window_records)
        self._pub = self._socket(zmq.PUB, 1, conflate=True)
        try:
            self._router.bind(config.address)
            self._pub.bind(config.weights_address)
        except zmq.ZMQError:
            self.close()
            raise
        self.address = self._router.getsockopt_string(zmq.LAST_ENDPOINT)
        self.weights_address = self._pub.getsockopt_string(zmq.LAST_ENDPOINT)
        self._poller.register(self._router, zmq.POLLIN)
        self.start()

    def publish(self, weights: bytes) -> None:
        """Send encoded weights to every actor; returns at once, and only the newest are kept for a slow one.

        Raises:
            WeightsError: More bytes than a message may have.
        """
        self.intake.publish(weights)
        self.wake()

    def announce(self) -> None:
        """Tell the sessions, soon, that `transitions_allowed` or the phase has changed; returns at once."""
        self.wake()

    def _step(self) -> None:
        ready = self._wait(self._beat_s - self._now_s())
        if self._router in ready:
            self._serve()
        weights = self.intake.newest_weights
        if weights is not None and weights is not self._published:
            self._pub.send(weights, zmq.NOBLOCK)
            self._published = weights
        if self._wake_fd in ready:
            self._tell(everyone=False)
        if self._now_s() >= self._beat_s:
            self._beat_s = self._now_s() + self.config.heartbeat_s
            self.intake.expire()
            self._tell(everyone=True)

    def _leave(self) -> None:
        for identity in self._peers:
            self._send(identity, wire.encode(Bye()))

    def _serve(self) -> None:
        identity, *frames = self._router.recv_multipart(zmq.NOBLOCK)
        if self._errors.get(identity, 0) >= MAX_WIRE_ERRORS:
            return
        try:
            reply = self._answer(identity, *wire.decode(frames))
        except WireError as error:
            self._count_error(identity, error)
        except UnknownSessionError:
            self._send(identity, wire.encode(Bye()))
        except OSError as error:
            _log.error("cannot store records, so they are not acknowledged: %s", error)
        else:
            if reply:
                self._send(identity, reply)

    def _answer(self, identity: bytes, message: Message, raw: bytes) -> list[bytes] | None:
        match message:
            case Hello():
                reply = self.intake.hello(message)
                if isinstance(reply, Accept):
                    self._peers = {peer: name for peer, name in self._peers.items() if name != message.session_id}
                    self._peers[identity] = message.session_id
                return wire.encode(reply)
            case Bye():
                self.intake.bye(self._peers.pop(identity, ""))
                return None
            case Records(first_seq, count):
                session_id = self._session(identity)
                ack = self.intake.records(session_id, first_seq, count, raw)
                self._told[session_id] = ack.status
                return wire.encode(ack)
            case Heartbeat():
                self.intake.heartbeat(self._session(identity))
                return None
            case WeightsRequest():
                self._session(identity)
                weights = self.intake.newest_weights
                return None if weights is None else wire.encode(WeightsReply(), weights)
        raise WireError(f"{type(message).__name__}: only the learner sends this")

    def _session(self, identity: bytes) -> str:
        if identity not in self._peers:
            raise UnknownSessionError("records before HELLO")
        return self._peers[identity]

    def _tell(self, everyone: bool) -> None:
        """Send the status to those whose loop depends on a change of it, or to everyone as a sign of life."""
        for identity, session_id in list(self._peers.items()):
            if not self.intake.is_open(session_id):
                del self._peers[identity]
                self._told.pop(session_id, None)
                self._send(identity, wire.encode(Bye()))
                continue
            status, told = self.intake.status(session_id), self._told.get(session_id)
            if everyone or told is None or _permits(status) != _permits(told):
                self._told[session_id] = status
                self._send(identity, wire.encode(Heartbeat(status)))

    def _send(self, identity: bytes, frames: list[bytes]) -> None:
        # A ROUTER drops what it cannot deliver: the other side notices by itself, and asks again.
        self._router.send_multipart([identity, *frames], zmq.NOBLOCK)

    def _count_error(self, identity: bytes, error: WireError) -> None:
        self.wire_errors += 1
        self._errors[identity] = self._errors.get(identity, 0) + 1
        if len(self._errors) > MAX_COUNTED:
            del self._errors[next(iter(self._errors))]
        _log.warning("refused a message (%d in all): %s", self.wire_errors, error)


def _permits(status: Status) -> tuple[int, str]:
    return status.transitions_allowed, status.learner_phase

"""The learner's sockets: a ROUTER for the sessions and a PUB for the weights, on a thread of their own."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from itertools import count

import zmq

from steadyhand.runtime.clock import Clock, MonotonicClock
from steadyhand.runtime.logging import get_logger
from steadyhand.transport import wire
from steadyhand.transport.allow_list import DOMAIN, AllowList
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.handshake import HandshakeMonitor
from steadyhand.transport.intake import Intake
from steadyhand.transport.keys import own_keys
from steadyhand.transport.open_sessions import UnknownSessionError
from steadyhand.transport.peer_limits import ERROR_WINDOW_S, MAX_WIRE_ERRORS, PeerLimits
from steadyhand.transport.socket_thread import SocketThread, check_address
from steadyhand.transport.wire import (
    Accept,
    Bye,
    Heartbeat,
    Hello,
    Lost,
    Message,
    Records,
    Reject,
    Status,
    VersionError,
    Wanted,
    WeightsReply,
    WeightsRequest,
    WireError,
)

__all__ = ["ZmqServer", "check_can_listen"]

REBIND_ATTEMPTS, REBIND_S = 200, 0.01

_NOT_YOURS = "actor_id: expected {}, as whom this key is paired, found {}; pair the key again under that id"

_log = get_logger("transport.server")


def check_can_listen(config: TransportConfig) -> None:
    """Raise the errors of a `ZmqServer` before anything is made for one.

    Raises:
        InsecureAddressError: Other machines could connect, and there are no keys.
        KeysError: The keys are missing, or others could read them.
        zmq.ZMQError: An address is taken, or is not one of this machine.
    """
    keys = config.keys_folder
    for address in (config.address, config.weights_address):
        check_address(address, keys is not None)
    if keys is not None:
        own_keys(keys)
    with zmq.Context() as context:
        for address in (config.address, config.weights_address):
            with context.socket(zmq.ROUTER) as probe:
                probe.bind(address)


class ZmqServer(SocketThread):
    """Serves an `Intake` over ZeroMQ. Listens from construction on.

    A connection's ZeroMQ identity is only the address of the answer; the HELLO names the actor. With keys it must be
    the actor whose key opened the connection.
    """

    def __init__(self, intake: Intake, config: TransportConfig, clock: Clock | None = None) -> None:
        """Bind both addresses and start; port 0 takes a free one, see `address` and `weights_address`.

        Raises:
            InsecureAddressError: Other machines could connect, and there are no keys.
            KeysError: The keys are missing, or others could read them.
            zmq.ZMQError: The address is taken.
        """
        keys = config.keys_folder
        for address in (config.address, config.weights_address):
            check_address(address, keys is not None)
        pair = None if keys is None else own_keys(keys)
        super().__init__("learner sockets", config, clock)
        self.intake = intake
        self.wire_errors = 0  # messages that were refused, in all
        self.handshake_failures = 0  # connections that did not speak our protocol, in all
        self._peers: dict[bytes, str] = {}  # connection -> session id
        self._told: dict[str, Status] = {}  # session id -> the last status it was sent
        self._limits = PeerLimits(clock or MonotonicClock())
        self._asked: dict[str, Wanted] = {}  # session id -> the records that it was asked for last
        self._published: bytes | None = None
        self._beat_s = 0.0
        self._pause = threading.Event()  # never set: it only waits
        self._allow_list: AllowList | None = None
        self.address, self.weights_address = config.address, config.weights_address
        try:
            if keys is not None and pair is not None:
                self._curve = {
                    zmq.CURVE_SERVER: 1,
                    zmq.CURVE_SECRETKEY: pair.secret,
                    zmq.ZAP_DOMAIN: DOMAIN.encode(),
                    zmq.ZAP_ENFORCE_DOMAIN: 1,  # without an authenticator the connection is refused
                }
                self._allow_list = AllowList(self._context, keys, self._limits.dropped)
                self._allow_list.start()
            self._listen()
        except BaseException:
            self.close()
            raise
        self.start()

    def publish(self, weights: bytes) -> None:
        """Send encoded weights to every actor; returns at once, and only the newest are kept for a slow one.

        Raises:
            WeightsError: More bytes than a message may have.
        """
        self.intake.publish(weights)
        self.wake()

    def announce(self) -> None:
        """Announce to the sessions, soon, a change of `transitions_allowed` or the phase; return at once."""
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
            self._check_keys()
            self._tell(everyone=True)
        if self._monitor.socket in ready and self._monitor.failure():
            self.handshake_failures += 1
            if self.handshake_failures & (self.handshake_failures - 1) == 0:  # the 1st, 2nd, 4th, 8th ...
                _log.warning("a connection failed to shake hands (%d in all)", self.handshake_failures)

    def _listen(self) -> None:
        """Make both sockets and bind them."""
        self._router = self._socket(zmq.ROUTER, self.config.window_records, self.config.max_frame_bytes)
        self._pub = self._socket(zmq.PUB, 1, self.config.max_frame_bytes, conflate=True)
        self._monitor = HandshakeMonitor(self._router)
        self._published = None
        self._router.bind(self.address)
        self._pub.bind(self.weights_address)
        self.address = self._router.getsockopt_string(zmq.LAST_ENDPOINT)
        self.weights_address = self._pub.getsockopt_string(zmq.LAST_ENDPOINT)
        self._poller.register(self._router, zmq.POLLIN)
        self._poller.register(self._monitor.socket, zmq.POLLIN)

    def _check_keys(self) -> None:
        """Cut every connection when one of them would no longer be admitted.

        ZeroMQ cannot close a single one. Admitted actors reconnect by themselves and go on where they were.
        """
        gone = [] if self._allow_list is None else self._allow_list.outdated()
        if not gone:
            return
        _log.warning("key %s is not admitted any more: every actor has to connect anew", ", ".join(gone))
        self._hang_up()
        for attempt in count(1):
            try:
                self._listen()
                return
            except zmq.ZMQError as error:  # the port is given back a moment after the socket was closed
                self._hang_up()
                if error.errno != zmq.EADDRINUSE or attempt == REBIND_ATTEMPTS:
                    raise
                self._pause.wait(REBIND_S)

    def _hang_up(self) -> None:
        for socket in (self._router, self._monitor.socket):
            if socket in self._poller:
                self._poller.unregister(socket)
        self._monitor.close()
        self._router.close(linger=0)
        self._pub.close(linger=0)
        self._peers.clear()

    def _destroy(self, linger_ms: int) -> None:
        if self._allow_list is not None:
            self._allow_list.stop()
        super()._destroy(linger_ms)

    def _leave(self) -> None:
        for identity in self._peers:
            self._send(identity, wire.encode(Bye()))

    def _serve(self) -> None:
        (identity, *frames), user = self._receive_frames(self._router)
        peer = user or identity
        if self._limits.dropped(peer):
            return
        try:
            message, raw = wire.decode(frames, "actor")
            self._limits.check(peer, message)
            reply = self._answer(identity, user, message, raw)
        except WireError as error:
            if isinstance(error, VersionError):
                self._send(identity, wire.refuse_version(error))
            self._count_error(peer, error)
        except UnknownSessionError:
            self._send(identity, wire.encode(Bye()))
        except OSError as error:
            _log.error("cannot store records, so they are not acknowledged: %s", error)
        else:
            if reply:
                self._send(identity, reply)
                self._ask(identity, again=False)

    def _ask(self, identity: bytes, again: bool) -> None:
        """Ask a session for records that are damaged here: for the next ones when the last have come, or `again`."""
        session_id = self._peers.get(identity, "")
        asked = self._asked.get(session_id)
        if asked is None and not again:
            return
        wanted = self.intake.wanted(session_id)
        if wanted is None:
            self._asked.pop(session_id, None)
        elif again or wanted != asked:
            self._asked[session_id] = wanted
            self._send(identity, wire.encode(wanted))

    def _answer(self, identity: bytes, user: str, message: Message, raw: bytes) -> list[bytes] | None:
        match message:
            case Hello():
                if self._allow_list is not None and user != message.actor_id:
                    return wire.encode(Reject([_NOT_YOURS.format(user, message.actor_id)]))
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
            case Lost():
                session_id = self._session(identity)
                ack = self.intake.lost(session_id, message)
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
        """Send the status to the sessions whose loop depends on its change, or to all sessions as a sign of life."""
        for identity, session_id in list(self._peers.items()):
            if not self.intake.is_open(session_id):
                del self._peers[identity]
                self._told.pop(session_id, None)
                self._asked.pop(session_id, None)
                self._send(identity, wire.encode(Bye()))
                continue
            status, told = self.intake.status(session_id), self._told.get(session_id)
            if everyone or told is None or _permits(status) != _permits(told):
                self._told[session_id] = status
                self._send(identity, wire.encode(Heartbeat(status)))
            if everyone:
                self._ask(identity, again=True)

    def _send(self, identity: bytes, frames: list[bytes]) -> None:
        # A ROUTER drops a message that it cannot deliver: the other side notices, and asks again.
        self._router.send_multipart([identity, *frames], zmq.NOBLOCK)

    def _count_error(self, peer: Hashable, error: WireError) -> None:
        self.wire_errors += 1
        _log.warning("refused a message (%d in all): %s", self.wire_errors, error)
        if self._limits.count_error(peer):
            _log.error("dropped a peer for %.0f s: it sent %d bad messages", ERROR_WINDOW_S, MAX_WIRE_ERRORS)
            self._check_keys()


def _permits(status: Status) -> tuple[int, str]:
    return status.transitions_allowed, status.learner_phase

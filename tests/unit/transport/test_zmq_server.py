import os
import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import zmq

from steadyhand.transport import wire
from steadyhand.transport.log import LogReader
from steadyhand.transport.peer_limits import MAX_WIRE_ERRORS
from steadyhand.transport.socket_thread import InsecureAddressError
from steadyhand.transport.weights import Weights, WeightsError, encode
from steadyhand.transport.wire import Accept, Ack, Bye, Heartbeat, Records, Reject, Status, WeightsReply, WeightsRequest
from steadyhand.transport.zmq_server import ZmqServer
from tests.transport_kit import CONFIG, SCHEMA, hello, intake_in, record, session_id, wait_until, writer_in


class Peer:
    """A bare client, well-behaved or not."""

    def __init__(self, server: ZmqServer) -> None:
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.connect(server.address)

    def send(self, message, raw: bytes | None = None) -> None:
        self.socket.send_multipart(wire.encode(message, raw))

    def receive(self, kind: type, timeout_s: float = 10.0):
        """Return the next message of `kind` and its frame; signs of life between are skipped."""
        while True:
            assert self.socket.poll(int(timeout_s * 1000)), f"no {kind.__name__}"
            message, raw = wire.decode(self.socket.recv_multipart())
            if isinstance(message, kind):
                return message, raw
            assert isinstance(message, Heartbeat), message

    def close(self) -> None:
        self.context.destroy(linger=0)


@pytest.fixture
def status() -> dict[str, Status]:
    return {"now": Status(3, 7, -1, "train")}


@pytest.fixture
def server(tmp_path, status) -> Iterator[ZmqServer]:
    server = ZmqServer(intake_in(tmp_path / "learner", status=lambda session: status["now"]), CONFIG)
    yield server
    server.close()
    server.intake.close()
    assert server.failure is None


@pytest.fixture
def peer(server) -> Iterator[Peer]:
    peer = Peer(server)
    yield peer
    peer.close()


@pytest.fixture
def frame(tmp_path) -> bytes:
    writer = writer_in(tmp_path / "actor")
    for step in range(3):
        writer.append(record(step=step))
    return LogReader(tmp_path / "actor").frame(0, 3)


def test_hello_records_acknowledgement(server, peer, frame):
    peer.send(hello())
    assert peer.receive(Accept)[0].next_seq == 0
    peer.send(Records(0, 3), frame)
    ack, _ = peer.receive(Ack)
    assert (ack.next_seq, ack.status.policy_version) == (3, 7)
    (reader,) = server.intake.readers()
    assert reader.refresh() == 3
    assert reader.frame(0, 3) == frame


@pytest.mark.parametrize("message", [Heartbeat(), WeightsRequest(), Records(0, 3)])
def test_who_has_not_said_hello_is_told_so(server, peer, frame, message):
    peer.send(message, frame if isinstance(message, Records) else None)
    peer.receive(Bye)
    assert list(server.intake.folder.iterdir()) == []


def test_a_rejection_is_answered_and_opens_nothing(server, peer):
    server.intake.require(SCHEMA)
    peer.send(hello(schema=replace(SCHEMA, command_size=9)))
    assert "command_size" in peer.receive(Reject)[0].reasons[0]
    peer.send(Heartbeat())
    peer.receive(Bye)


def test_heartbeats_come_by_themselves_and_silence_ends_the_session(server, peer):
    peer.send(hello())
    peer.receive(Accept)
    for _ in range(3):
        assert peer.receive(Heartbeat)[0].status.updates == 3
    peer.receive(Bye)  # the peer never gave a sign of life
    assert not server.intake.is_open(session_id(0))


def test_permission_is_told_at_once_when_announced(server, peer, status):
    # Heartbeats a minute apart: only the announcement can bring the news.
    server.config = replace(CONFIG, heartbeat_s=60.0)
    server.wake()
    peer.send(hello())
    assert peer.receive(Accept)[0].status.transitions_allowed == -1
    wait_until(lambda: server._beat_s > server._now_s() + 10)
    status["now"] = Status(4, 7, 25, "train")
    server.announce()
    while peer.receive(Heartbeat)[0].status.transitions_allowed != 25:
        pass


def test_weights_are_sent_on_request(server, peer):
    raw = encode(Weights(1, 2, {"w": np.zeros(3, np.float32)}))
    server.publish(raw)
    peer.send(hello())
    peer.receive(Accept)
    peer.send(WeightsRequest())
    assert peer.receive(WeightsReply)[1] == raw
    with pytest.raises(WeightsError):
        server.publish(bytes(CONFIG.max_weights_bytes + 1))


def test_a_slow_actor_gets_only_the_newest_weights(server):
    context = zmq.Context()
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.CONFLATE, 1)
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.connect(server.weights_address)
    version = 0

    def subscribed() -> bool:
        nonlocal version
        version += 1
        server.publish(str(version).encode())
        return bool(socket.poll(5))

    wait_until(subscribed)
    for version in range(1000, 1030):
        server.publish(str(version).encode())
    wait_until(lambda: server._published == b"1029")
    received = []
    while socket.poll(100):
        received.append(socket.recv())
    assert received[-1] == b"1029"
    assert len(received) < 10
    context.destroy(linger=0)


def test_junk_is_counted_and_its_sender_no_longer_heard_and_others_are_served(server, peer, frame):
    bad = Peer(server)
    bad.send(hello(1, actor_id="leg"))
    bad.receive(Accept)
    for index in range(2 * MAX_WIRE_ERRORS):
        bad.socket.send_multipart([b"\0\1\2\3\4"] * (index % 3 + 1))
    bad.send(Records(0, 3), frame[:-1])
    bad.send(Accept({}, 0, 0, Status(0, 0, 0, "")))
    wait_until(lambda: server.wire_errors == MAX_WIRE_ERRORS)
    peer.send(hello())
    peer.receive(Accept)
    peer.send(Records(0, 3), frame)
    assert peer.receive(Ack)[0].next_seq == 3
    assert server.wire_errors == MAX_WIRE_ERRORS
    assert server.intake.next_seq(session_id(1)) == 0
    bad.close()


def test_a_message_over_the_limit_cuts_only_its_sender_off(server, peer, frame):
    giant = Peer(server)
    giant.socket.send(bytes(1 << 20))
    peer.send(hello())
    peer.receive(Accept)
    peer.send(Records(0, 3), frame)
    assert peer.receive(Ack)[0].next_seq == 3
    giant.close()


def test_closing_says_goodbye(server, peer):
    peer.send(hello())
    peer.receive(Accept)
    server.close()
    peer.receive(Bye)


@pytest.mark.parametrize("name", ["address", "weights_address"])
def test_other_machines_are_not_served_without_keys(tmp_path, name):
    with pytest.raises(InsecureAddressError):
        ZmqServer(intake_in(tmp_path), replace(CONFIG, **{name: "tcp://0.0.0.0:0"}))


def test_an_address_that_is_taken_raises_and_leaks_nothing(server, tmp_path):
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(5):
        with pytest.raises(zmq.ZMQError, match="in use"):
            ZmqServer(intake_in(tmp_path / "other"), replace(CONFIG, address=server.address))
    assert len(os.listdir("/proc/self/fd")) <= files
    assert threading.active_count() <= threads

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import zmq

from steadyhand.transport import wire, zmq_uplink
from steadyhand.transport.log import LogReader
from steadyhand.transport.wire import Ack, Heartbeat, Hello, Records, Status, WeightsRequest
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.transport_kit import CONFIG, hello, record, session_id, wait_until, writer_in


class HalfLearner:
    """Accepts, and then does what a test says: a learner that is broken, not gone."""

    def __init__(self) -> None:
        self.context = zmq.Context()
        self.router = self.context.socket(zmq.ROUTER)
        self.router.bind("tcp://127.0.0.1:*")
        self.address = self.router.getsockopt_string(zmq.LAST_ENDPOINT)

    def receive(self, kind: type):
        while True:
            assert self.router.poll(10_000), f"no {kind.__name__}"
            identity, *frames = self.router.recv_multipart()
            message, _ = wire.decode(frames)
            if isinstance(message, kind):
                return identity, message

    def send(self, identity: bytes, message) -> None:
        self.router.send_multipart([identity, *wire.encode(message)])


@pytest.fixture
def half(tmp_path) -> Iterator[tuple[HalfLearner, ZmqUplink]]:
    learner = HalfLearner()
    writer = writer_in(tmp_path)
    for step in range(5):
        writer.append(record(step=step))
    config = replace(CONFIG, address=learner.address, weights_address="tcp://127.0.0.1:1")
    uplink = ZmqUplink(config, LogReader(tmp_path))
    yield learner, uplink
    uplink.close()
    assert uplink.failure is None
    learner.context.destroy(linger=0)


STATUS = Status(0, 0, -1, "")


def greet(learner: HalfLearner, uplink: ZmqUplink) -> bytes:
    """Have the uplink connect, and return its connection when it has said HELLO."""
    threading.Thread(target=uplink.connect, args=(hello(), 20.0), daemon=True).start()
    identity, _ = learner.receive(Hello)
    return identity


def test_a_learner_that_falls_silent_is_lost_and_greeted_again_on_a_new_connection(half):
    learner, uplink = half
    identity = greet(learner, uplink)
    learner.send(identity, wire.Accept({}, 0, 0, STATUS))
    learner.receive(Records)
    again, message = learner.receive(Hello)
    assert again != identity
    assert message.session_id == session_id(0)
    assert not uplink.progress().connected


@pytest.mark.slow
def test_while_weights_are_on_their_way_a_learner_may_be_silent(half, monkeypatch):
    monkeypatch.setattr(zmq_uplink, "SLOWEST_BYTES_S", 100.0)
    learner, uplink = half
    identity = greet(learner, uplink)
    learner.send(identity, wire.Accept({}, 0, 0, STATUS, weights_bytes=1000))
    learner.receive(WeightsRequest)
    until = time.monotonic() + 3 * CONFIG.liveness_s
    while (left_s := until - time.monotonic()) > 0:
        if learner.router.poll(round(1e3 * left_s)):
            assert not isinstance(wire.decode(learner.router.recv_multipart()[1:])[0], Hello), "it was given up"
    assert uplink.progress().connected


def test_the_window_is_sent_again_when_no_acknowledgement_comes(half):
    learner, uplink = half
    identity = greet(learner, uplink)
    learner.send(identity, wire.Accept({}, 0, 0, STATUS))
    first = learner.receive(Records)[1]
    alive = 0
    while True:  # alive, but it acknowledges nothing: a full disk
        _, message = learner.receive((Heartbeat, Records))
        if isinstance(message, Records):
            break
        learner.send(identity, Heartbeat(STATUS))
        alive += 1
    assert alive > 0
    assert message == first
    learner.send(identity, Ack(5, STATUS))
    wait_until(lambda: uplink.progress().next_seq == 5)


def test_junk_from_the_learner_is_ignored(half):
    learner, uplink = half
    identity = greet(learner, uplink)
    learner.router.send_multipart([identity, b"junk"])
    learner.send(identity, wire.Accept({}, 0, 0, STATUS))
    learner.receive(Records)
    learner.send(identity, Ack(5, STATUS))
    wait_until(lambda: uplink.progress().next_seq == 5)

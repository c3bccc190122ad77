import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import zmq

from steadyhand.transport import segment, wire, zmq_uplink
from steadyhand.transport.log import LogReader
from steadyhand.transport.outbox import Rejected
from steadyhand.transport.uplink import UplinkTimeout
from steadyhand.transport.weights import Weights, encode
from steadyhand.transport.wire import Ack, Heartbeat, Hello, Records, Status, WeightsRequest
from steadyhand.transport.zmq_server import ZmqServer
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.transport_kit import (
    CONFIG,
    SCHEMA,
    connected_config,
    hello,
    intake_in,
    record,
    session_id,
    wait_until,
    writer_in,
)


class Link:
    """A learner that can be stopped and started on the same ports and folder, and one actor."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.server: ZmqServer | None = None
        self.start_learner()
        self.config = connected_config(self.server)
        self.writer = writer_in(folder / "actor")
        self.uplink = ZmqUplink(self.config, LogReader(folder / "actor"))

    def start_learner(self, folder: str = "learner", **options) -> None:
        config = CONFIG if self.server is None else self.config
        self.server = ZmqServer(intake_in(self.folder / folder, **options), config)

    def stop_learner(self, goodbye: bool = True) -> None:
        if not goodbye:
            self.server._peers = {}
        self.server.close()
        if goodbye:
            self.server.intake.close()

    def append(self, count: int) -> None:
        for _ in range(count):
            self.writer.append(record(step=self.writer.next_seq))
            self.uplink.notify()

    def stored(self) -> int:
        return self.server.intake.next_seq(session_id(0))

    def arrived(self) -> bool:
        return self.uplink.progress().next_seq == self.writer.next_seq == self.stored()

    def close(self) -> None:
        self.uplink.close()
        self.server.close()
        assert self.uplink.failure is None
        assert self.server.failure is None
        self.writer.close()


@pytest.fixture
def link(tmp_path) -> Iterator[Link]:
    link = Link(tmp_path)
    yield link
    link.close()


def steps(reader: LogReader) -> list[int]:
    reader.refresh()
    return reader.gather(np.arange(len(reader)), "step_index").tolist()


@pytest.mark.parametrize("goodbye", [True, False])
def test_a_learner_that_restarts_is_found_again_and_misses_nothing(link, goodbye):
    link.uplink.connect(hello(), 10.0)
    link.append(25)
    wait_until(link.arrived)
    link.stop_learner(goodbye)
    link.append(20)
    wait_until(lambda: not link.uplink.progress().connected)
    link.append(20)
    link.start_learner()
    wait_until(link.arrived)
    assert link.uplink.progress().connected
    assert steps(link.server.intake.readers()[0]) == list(range(65))


def test_an_actor_that_restarts_goes_on_in_the_same_session(link):
    link.uplink.connect(hello(), 10.0)
    link.append(13)
    link.uplink.close()  # before everything has arrived, perhaps
    link.writer.close()
    link.writer = writer_in(link.folder / "actor")
    link.uplink = ZmqUplink(link.config, LogReader(link.folder / "actor"))
    accept = link.uplink.connect(hello(), 10.0)
    assert 0 <= accept.next_seq <= 13
    link.append(5)
    wait_until(link.arrived)
    assert steps(link.server.intake.readers()[0]) == list(range(18))


def test_another_learner_with_an_empty_folder_gets_everything_again(link):
    link.uplink.connect(hello(), 10.0)
    link.append(25)
    wait_until(link.arrived)
    link.stop_learner()
    link.start_learner("another")
    wait_until(link.arrived)
    assert steps(link.server.intake.readers()[0]) == list(range(25))


def test_what_the_actor_lost_is_left_out_and_the_rest_arrives(link):
    link.append(35)
    link.writer.sync()
    segment.paths(link.folder / "actor")[1][1].unlink()
    link.uplink.connect(hello(), 10.0)
    wait_until(link.arrived)
    assert steps(link.server.intake.readers()[0]) == [*range(10), *range(20, 35)]


def test_no_learner_is_a_timeout_and_later_it_is_found(link):
    link.stop_learner()
    with pytest.raises(UplinkTimeout, match="steadyhand learn"):
        link.uplink.connect(hello(), 0.05)
    link.append(3)
    link.start_learner()
    link.uplink.connect(hello(), 10.0)
    wait_until(link.arrived)


def test_connect_waits_for_a_learner_that_comes_up_meanwhile(tmp_path):
    first = ZmqServer(intake_in(tmp_path / "learner"), CONFIG)
    config = connected_config(first)
    first.close()
    writer_in(tmp_path / "actor")
    uplink = ZmqUplink(config, LogReader(tmp_path / "actor"))
    uplink.start()
    second = ZmqServer(intake_in(tmp_path / "learner"), config)
    assert uplink.connect(hello(), 10.0).next_seq == 0
    uplink.close()
    second.close()


def test_a_rejected_session_can_be_introduced_again(link):
    link.server.intake.require(replace(SCHEMA, command_size=9))
    with pytest.raises(Rejected, match="command_size: expected 9, found 3"):
        link.uplink.connect(hello(), 10.0)
    assert not link.uplink.progress().connected
    link.stop_learner()
    link.start_learner()
    link.uplink.connect(hello(), 10.0)
    link.append(2)
    wait_until(link.arrived)


def test_two_actors_with_one_id_take_turns(link):
    link.uplink.connect(hello(), 10.0)
    writer_in(link.folder / "second", 2)
    second = ZmqUplink(link.config, LogReader(link.folder / "second"))
    with pytest.raises(Rejected, match=session_id(0)):
        second.connect(hello(2), 10.0)
    # The first one dies without a word: its thread stands still.
    link.uplink._leave = lambda: None
    link.uplink.close()
    refused = 0

    def accepted() -> bool:
        nonlocal refused
        try:
            second.connect(hello(2), 10.0)
        except Rejected:
            refused += 1
            return False
        return True

    wait_until(accepted)
    assert refused > 0
    second.close()


def test_weights_come_by_broadcast_and_on_connecting(link):
    def encoded(version: int) -> bytes:
        return encode(Weights(1, version, {"w": np.full(3, version, np.float32)}))

    link.server.publish(encoded(1))  # before anybody listens
    link.uplink.connect(hello(), 10.0)
    seen = []

    def newest() -> int:
        weights = link.uplink.latest_weights()
        if weights is not None:
            seen.append(weights.policy_version)
        return seen[-1] if seen else 0

    wait_until(lambda: newest() == 1)
    for version in range(2, 30):
        link.server.publish(encoded(version))
    wait_until(lambda: newest() == 29)
    assert seen == sorted(set(seen))
    assert link.uplink.latest_weights() is None


def test_weights_whose_broadcast_was_lost_are_asked_for(link):
    version = 0
    link.stop_learner()
    link.start_learner(status=lambda _: Status(0, version, -1, ""), learner_epoch=2)
    link.uplink._sub.disconnect(link.config.weights_address)  # as if the subscription came too late
    link.uplink.connect(hello(), 10.0)
    link.append(1)
    wait_until(link.arrived)  # what connecting asks for was answered, with nothing
    for newest in (1, 2):
        link.server.publish(encode(Weights(2, newest, {"w": np.zeros(3, np.float32)})))
        version = newest
        wait_until(lambda: link.uplink.latest_weights() is not None)
    assert link.uplink._weights.ignored == 0


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

"""F10: a peer that sends malformed messages is dropped, and the others notice nothing."""

import logging
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import msgspec
import numpy as np
import pytest
import zmq

from steadyhand.transport import wire
from steadyhand.transport.log import LogReader
from steadyhand.transport.peer_limits import MAX_WIRE_ERRORS
from steadyhand.transport.rate_limit import RateLimit
from steadyhand.transport.wire import MAX_HEADER_BYTES, Accept, Reject
from steadyhand.transport.zmq_server import ZmqServer
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.faults.hostile_messages import (
    FRAMES,
    FROM_ACTOR,
    FROM_LEARNER,
    JUNK,
    ROOM,
    SEED,
    STATUS,
    TIMEOUT_S,
    in_hello,
    mutated,
)
from tests.faults.peers import Honest, Hostile
from tests.transport_kit import CONFIG, hello, intake_in, record, session_id, wait_until, writer_in

pytestmark = pytest.mark.timeout(TIMEOUT_S)

SENT = FRAMES // 20  # of them through sockets, to a real learner


@pytest.fixture
def quiet() -> Iterator[None]:
    logger = logging.getLogger("steadyhand")
    before, logger.level = logger.level, logging.CRITICAL
    yield
    logger.setLevel(before)


@pytest.fixture
def server(tmp_path) -> Iterator[ZmqServer]:
    server = ZmqServer(intake_in(tmp_path / "learner"), CONFIG)
    yield server
    server.close()
    server.intake.close()


@pytest.fixture
def hostile(server) -> Iterator[Hostile]:
    hostile = Hostile(server.address)
    yield hostile
    hostile.close()


def send_all(server: ZmqServer, hostile: Hostile, count: int) -> None:
    """Send `count` mutated messages, and an honest one behind them that is answered when all have been looked at."""
    random_ = random.Random(SEED)
    for _ in range(count):
        hostile.socket.send_multipart(mutated(random_, FROM_ACTOR) or [b""])
    hostile.socket.send_multipart(wire.encode(hello(99, actor_id="last")))
    while server.failure is None:
        assert hostile.socket.poll(10_000)
        if hostile.socket.recv_multipart()[0].startswith(wire.MAGIC) and server.intake.is_open(session_id(99)):
            return


def test_a_learner_that_listens_to_all_of_it_survives(server, hostile, quiet, monkeypatch, record_property):
    monkeypatch.setattr(RateLimit, "exceeded", lambda self, peer: False)  # otherwise it would hear the first few alone
    send_all(server, hostile, SENT)
    record_property("frames", SENT)
    assert server.failure is None
    assert server.wire_errors > 0.5 * SENT


def test_an_error_that_is_not_caught_would_be_seen(server, hostile, quiet, monkeypatch):
    def careless(frames: list[bytes], sender: str) -> object:
        return msgspec.msgpack.decode(frames[0]), b""

    real = wire.decode
    monkeypatch.setattr("steadyhand.transport.zmq_server.wire.decode", careless)
    hostile.socket.send(b"\xc1")
    wait_until(lambda: server.failure is not None)
    monkeypatch.setattr("steadyhand.transport.zmq_server.wire.decode", real)


@pytest.mark.parametrize(
    "attack",
    [[b"\0\1\2\3\4"], [b"x" * 60_000], [b""] * 300, FROM_ACTOR[1], FROM_LEARNER[0], in_hello(b"\x91" * ROOM + b"\x01")],
    ids=["junk", "large", "many frames", "records before hello", "an answer", "deep"],
)
def test_an_honest_peer_beside_a_hostile_one_loses_nothing(tmp_path, server, hostile, quiet, attack, record_property):
    with closing(Honest(server, tmp_path / "log")) as honest:
        alone_s = honest.send(200)
        for _ in range(3 * MAX_WIRE_ERRORS):
            hostile.socket.send_multipart(attack)
        beside_s = honest.send(200)
        record_property("beside_to_alone", beside_s / alone_s)
        (reader,) = server.intake.readers()
        reader.refresh()
        assert reader.gather(np.arange(len(reader)), "step_index").tolist() == list(range(400))
    assert server.failure is None


def test_a_peer_is_dropped_after_its_budget_and_only_then(server, hostile):
    for _ in range(MAX_WIRE_ERRORS - 1):
        hostile.socket.send(b"junk")
    hostile.socket.send_multipart(wire.encode(hello()))
    assert hostile.socket.poll(10_000)
    hostile.socket.recv_multipart()
    for _ in range(50):
        hostile.socket.send(b"junk")
    hostile.socket.send_multipart(wire.encode(hello(1, actor_id="leg")))
    wait_until(lambda: server.wire_errors == MAX_WIRE_ERRORS)
    wait_until(lambda: not server.intake.is_open(session_id(0)))  # nothing of it is heard, so its session ends
    assert server.wire_errors == MAX_WIRE_ERRORS
    assert not server.intake.is_open(session_id(1))


def test_without_the_budget_a_peer_would_be_heard_for_ever(server, hostile, quiet, monkeypatch):
    monkeypatch.setattr(RateLimit, "exceeded", lambda self, peer: False)
    for _ in range(50):
        hostile.socket.send(b"junk")
    wait_until(lambda: server.wire_errors == 50)


def test_a_message_over_the_limit_closes_its_connection_and_no_other(tmp_path, server, hostile):
    with closing(Honest(server, tmp_path / "log")) as honest:
        hostile.socket.send(bytes(CONFIG.max_frame_bytes + MAX_HEADER_BYTES + 1))
        hostile.socket.send_multipart(wire.encode(hello(1, actor_id="leg")))  # lost with it, or on a new connection
        honest.send(50)
    assert server.failure is None
    assert server.wire_errors == 0  # it never got as far as a decoder


def test_another_protocol_version_is_told_so(server, hostile):
    frames = wire.encode(hello())
    frames[0] = b"SHD\x07" + frames[0][len(wire.MAGIC) :]
    hostile.socket.send_multipart(frames)
    assert hostile.socket.poll(10_000)
    (answer,) = hostile.socket.recv_multipart()
    assert answer.startswith(b"SHD\x07")
    message, _ = wire.decode([wire.MAGIC + answer[len(wire.MAGIC) :]], "learner")
    assert message == Reject(["protocol_version: expected 3, found 7; update the older side"])


def test_a_hostile_learner_is_left_for_a_new_connection_and_the_log_stays(tmp_path, quiet):
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.bind("tcp://127.0.0.1:*")
    config = replace(CONFIG, address=router.getsockopt_string(zmq.LAST_ENDPOINT), weights_address="tcp://127.0.0.1:1")
    with closing(writer_in(tmp_path)) as writer:
        writer.append(record())
    random_, greeted = random.Random(SEED), set()
    with closing(ZmqUplink(config, LogReader(tmp_path))) as uplink, ThreadPoolExecutor(1) as pool:
        connecting = pool.submit(uplink.connect, hello(), 20.0)
        while len(greeted) < 3:
            assert router.poll(10_000)
            identity, *frames = router.recv_multipart()
            message, _ = wire.decode(frames, "actor")
            if isinstance(message, wire.Hello) and identity not in greeted:
                greeted.add(identity)
                router.send_multipart([identity, *wire.encode(Accept({}, 0, 0, STATUS))])
                for _ in range(50):
                    router.send_multipart([identity, *(mutated(random_, JUNK) or [b""])])
        assert connecting.result().next_seq == 0
        assert uplink.failure is None
    assert len(LogReader(tmp_path)) == 1
    context.destroy(linger=0)

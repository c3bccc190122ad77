"""F10: whatever bytes a peer sends, the answer is a WireError, the peer is dropped, and the others notice nothing.

STEADYHAND_FAULT_FRAMES says how many mutated and random frames are decoded (1,000,000 for the full row).
"""

import logging
import os
import random
import struct
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace

import msgspec
import numpy as np
import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steadyhand.transport import weights, wire
from steadyhand.transport.budget import Budget
from steadyhand.transport.log import LogReader
from steadyhand.transport.weights import Weights, WeightsError
from steadyhand.transport.wire import (
    MAX_HEADER_BYTES,
    Accept,
    Ack,
    Bye,
    Heartbeat,
    Records,
    Reject,
    Status,
    WeightsReply,
    WeightsRequest,
    WireError,
)
from steadyhand.transport.zmq_server import MAX_WIRE_ERRORS, ZmqServer
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.faults.peers import Honest, Hostile
from tests.transport_kit import (
    CONFIG,
    SCHEMA,
    hello,
    intake_in,
    record,
    session_id,
    wait_until,
    writer_in,
)

FRAMES = int(os.environ.get("STEADYHAND_FAULT_FRAMES", "100000"))
SENT = FRAMES // 20  # of them through sockets, to a real learner
EXAMPLES = max(250, min(FRAMES // 200, 10_000))  # of hypothesis
SEED = 4
STATUS = Status(5, 2, -1, "train")
FROM_ACTOR = [
    wire.encode(hello()),
    wire.encode(Records(0, 3), bytes(600)),
    wire.encode(Heartbeat()),
    wire.encode(Bye()),
    wire.encode(WeightsRequest()),
]
FROM_LEARNER = [
    wire.encode(Accept({"hidden": [256, 256], "mean": [0.5] * 20}, 1, 17, STATUS)),
    wire.encode(Reject(["action: expected (7,), found (6,)"])),
    wire.encode(Ack(8, STATUS)),
    wire.encode(Heartbeat(STATUS)),
    wire.encode(WeightsReply(), b"weights"),
]
JUNK = [[b"\0\1\2\3\4"], [wire.MAGIC + b"\xc1"]]
INTERESTING = [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x05", b"\xcf" + b"\xff" * 8]
INTERESTING += [b"\xcb\x7f\xf8" + bytes(6), b"\xcb\x7f\xf0" + bytes(6), b"\x91" * 300, b"\xc0", b"\xff", b"\xa1\n", b""]

pytestmark = pytest.mark.timeout(1800 if FRAMES > 100_000 else 180)


def mutated(random_: random.Random, messages: Sequence[list[bytes]]) -> list[bytes]:
    """Return a message of `messages` with something wrong, or bytes that never were one."""
    frames = list(random_.choice(messages))
    for _ in range(random_.randint(1, 3)):
        header = bytearray(frames[0]) if frames else bytearray()
        place = random_.randrange(len(header) + 1)
        match random_.randrange(7):
            case 0:  # some other bytes
                for _ in range(random_.randint(1, 4)):
                    if header:
                        header[random_.randrange(len(header))] = random_.randrange(256)
            case 1:
                del header[place:]
            case 2:
                header[place:place] = random_.choice(INTERESTING)
            case 3:
                header[place : place + random_.randint(1, 9)] = random_.choice(INTERESTING)
            case 4:  # a piece of another message
                other = random_.choice(messages)[0]
                start = random_.randrange(len(other))
                header[place:place] = other[start : start + random_.randint(1, 60)]
            case 5:
                header = bytearray(random_.choice([b"", wire.MAGIC])) + random_.randbytes(random_.randint(0, 60))
            case 6:
                frames = [*frames, random_.randbytes(random_.randint(0, 60))][random_.randint(0, 1) :]
                continue
        frames[:1] = [bytes(header)]
    return frames


def uncaught(decode: Callable[[list[bytes]], object], messages: Sequence[list[bytes]], count: int) -> tuple[int, int]:
    """Decode `count` mutated messages.

    Returns:
        How many were refused; how many with anything but a WireError of one line.
    """
    random_, refused, wrong = random.Random(SEED), 0, 0
    for _ in range(count):
        frames = mutated(random_, messages)
        try:
            decode(frames)
        except WireError as error:
            refused += 1
            wrong += "\n" in str(error) or len(str(error)) > 400
        except Exception:
            wrong += 1
    return refused, wrong


@pytest.mark.parametrize(("sender", "messages"), [("actor", FROM_ACTOR), ("learner", FROM_LEARNER)])
def test_mutated_and_random_frames_are_decoded_or_a_wire_error(sender, messages, record_property):
    count = FRAMES // 2
    refused, wrong = uncaught(lambda frames: wire.decode(frames, sender), messages, count)
    record_property("frames", count)
    record_property("uncaught", wrong)
    assert wrong == 0
    assert 0.5 * count < refused < count  # most of them are wrong, and some of what was changed is harmless


def test_the_search_finds_a_decoder_that_lets_something_else_out():
    def careless(frames: list[bytes]) -> object:
        return msgspec.msgpack.decode(frames[0][len(wire.MAGIC) :], type=wire.FromActor)

    assert uncaught(careless, FROM_ACTOR, 2000)[1] > 0


NUMBERS = st.integers(-(1 << 63), (1 << 64) - 1) | st.floats()
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=80) | st.binary(max_size=80),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=12,
)
NAMES = ["Hello", "Records", "Heartbeat", "Bye", "WeightsRequest", "Accept", "Reject", "Ack", "WeightsReply", "Nothing"]
KEYS = {*msgspec.to_builtins(hello()), *msgspec.to_builtins(STATUS), "count", "policy_spec", "reasons", "status"}
OPTIONAL = dict.fromkeys(sorted(KEYS - {"message"}), VALUES)
HEADERS = st.fixed_dictionaries({"message": st.sampled_from(NAMES)}, optional=OPTIONAL)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HEADERS | VALUES, st.sampled_from(["actor", "learner"]), st.lists(st.binary(max_size=40), max_size=2))
def test_any_msgpack_is_a_message_or_a_wire_error(header, sender, frames):
    try:
        decoded, _ = wire.decode([wire.MAGIC + msgspec.msgpack.encode(header), *frames], sender)
    except WireError:
        return
    assert isinstance(decoded, wire.Message)


SCHEMA_JSON = msgspec.to_builtins(SCHEMA)
CHANGES = {
    ("observation", 0, "shape"): st.lists(st.integers(-3, 1 << 62), max_size=12),
    ("observation", 0, "name"): st.text(max_size=70),
    ("observation", 1, "dtype"): st.sampled_from(["float64", "object", "O", "", "|V9"]) | st.text(max_size=5),
    ("observation", 1, "low"): st.floats() | st.integers(),
    ("observation", 0, "scale"): st.lists(st.floats(), max_size=6),
    ("action", "shape"): st.lists(st.integers(-3, 1 << 62), max_size=3),
    ("action", "unit"): st.text(max_size=70),
    ("command_size",): st.integers(),
    ("reward_terms",): st.lists(st.text(max_size=5), max_size=70),
    ("control_period_s",): st.floats(),
}


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_schema_is_refused_accepted_or_a_wire_error_and_allocates_nothing(tmp_path, data):
    path = data.draw(st.sampled_from(sorted(CHANGES, key=str)))
    changed = msgspec.json.decode(msgspec.json.encode(SCHEMA_JSON))
    for field in (changed["action"], *changed["observation"]):
        field["low"], field["high"] = -1.0, 1.0
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = data.draw(CHANGES[path])
    header = msgspec.to_builtins(hello()) | {"message": "Hello", "schema": changed}
    with closing(intake_in(tmp_path / "learner", required=SCHEMA)) as intake:
        try:
            encoded = msgspec.msgpack.encode(header)
        except OverflowError:
            return
        try:
            message, _ = wire.decode([wire.MAGIC + encoded], "actor")
        except WireError:
            return
        assert isinstance(intake.hello(message), Reject)
        assert list((tmp_path / "learner").iterdir()) == []


def with_value(document: dict, key: str, raw: bytes) -> bytes:
    """Return `document` in msgpack with the bytes `raw` as the value of `key`."""
    encoded = msgspec.msgpack.encode(document | {key: "@@@@"})
    return encoded.replace(msgspec.msgpack.encode("@@@@"), raw)


def in_hello(schema: bytes) -> list[bytes]:
    return [wire.MAGIC + with_value(msgspec.to_builtins(hello()) | {"message": "Hello"}, "schema", schema)]


def in_field(key: str, raw: bytes) -> list[bytes]:
    field = with_value(msgspec.to_builtins(SCHEMA.observation[0]), key, raw)
    return in_hello(with_value(SCHEMA_JSON, "observation", b"\x91" + field))


ROOM = MAX_HEADER_BYTES - 2000
MANY = struct.pack(">I", ROOM)
ACCEPT = msgspec.to_builtins(Accept({}, 0, 0, STATUS)) | {"message": "Accept"}
BOMBS = {
    "a list that claims 4 G": in_hello(b"\xdd\xff\xff\xff\xff"),
    "a map that claims 4 G": in_hello(b"\xdf\xff\xff\xff\xff"),
    "a text that claims 4 G": in_hello(b"\xdb\xff\xff\xff\xff"),
    "bytes that claim 4 G": in_hello(b"\xc6\xff\xff\xff\xff"),
    "an extension that claims 4 G": in_hello(b"\xc9\xff\xff\xff\xff\x05"),
    "a deep list": in_hello(b"\x91" * ROOM + b"\x01"),
    "a deep map": in_hello(b"\x81\xa1a" * (ROOM // 3) + b"\x01"),
    "many fields": in_hello(with_value(SCHEMA_JSON, "observation", b"\xdd" + MANY + b"\x80" * ROOM)),
    "many sizes": in_field("shape", b"\xdd" + MANY + b"\x01" * ROOM),
    "many scales": in_field("scale", b"\xdd" + MANY + b"\x01" * ROOM),
    "as many scales as are allowed": in_field("scale", b"\xdd" + struct.pack(">I", 8192) + b"\xcb" + bytes(8) * 8192),
    "many terms": in_hello(with_value(SCHEMA_JSON, "reward_terms", b"\xdd" + MANY + b"\xa0" * ROOM)),
    "a long name": in_field("name", b"\xdb" + MANY + b"a" * ROOM),
    "an unknown key": in_hello(with_value(SCHEMA_JSON, "more", b"\xdd" + MANY + b"\x90" * ROOM)),
    "the learner's free JSON": [wire.MAGIC + with_value(ACCEPT, "policy_spec", b"\xdd" + MANY + b"\x80" * ROOM)],
    "a header over the limit": [wire.MAGIC + b"\xc6\x00\x10\x00\x00" + bytes(1 << 20)],
    "junk": [b"\0\1\2\3\4"],
    "a pickle": [b"\x80\x04\x95\x1a\0\0\0\0\0\0\0\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R."],
}


def peak_bytes(work: Callable[[], object]) -> int:
    """Return the memory that `work` had at most, beyond what there was before; a WireError is fine."""
    tracemalloc.start()
    try:
        work()
    except (WireError, WeightsError):
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_the_learner_no_more_memory_than_twice_a_header(name, record_property):
    peak = peak_bytes(lambda: wire.decode(BOMBS[name], "actor"))
    record_property("peak_bytes", peak)
    assert peak <= 2 * MAX_HEADER_BYTES


def test_without_bounds_in_the_types_a_bomb_would_take_more():
    (bomb,) = BOMBS["many fields"]
    assert peak_bytes(lambda: msgspec.msgpack.decode(bomb[len(wire.MAGIC) :])) > 2 * MAX_HEADER_BYTES


SPEC_LIMIT = 2 * 16_777_216  # twice the largest message of the shipped settings


@pytest.mark.parametrize("value", [b"\x80", b"\x90", b"\xa0", b"\xc3"], ids=["maps", "lists", "texts", "flags"])
def test_a_learners_free_json_takes_an_actor_no_more_than_twice_a_message(value):
    bomb = wire.MAGIC + with_value(ACCEPT, "policy_spec", b"\x81\xa1a\xdd" + MANY + value * ROOM)
    assert peak_bytes(lambda: wire.decode([bomb], "learner")) <= SPEC_LIMIT


def test_weights_take_an_actor_no_more_than_twice_their_size():
    raw = weights.encode(Weights(1, 1, {f"w{index}": np.zeros(1 << 18, np.float32) for index in range(12)}))
    assert peak_bytes(lambda: weights.decode(raw)) <= 2.1 * len(raw)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_any_weights_are_weights_or_a_weights_error(data):
    """Their checksum is right: the sender is hostile, not the line."""
    raw = weights.encode(Weights(1, 1, {"w": np.arange(6, dtype=np.float32).reshape(2, 3)}))
    start = weights.HEAD.size + weights.DIGEST_BYTES
    body = bytearray(raw[start:])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 4))] = data.draw(
            st.binary(max_size=6)
            | st.sampled_from([b'"F16"', b'"BF16"', b"-1", b"99999999999999999999", b"[[", b"NaN"])
        )
        body = body or bytearray(b"\0")
    digest = weights.hashlib.sha256(raw[: weights.HEAD.size] + body).digest()
    with suppress(WeightsError):
        weights.decode(raw[: weights.HEAD.size] + digest + bytes(body))


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
    monkeypatch.setattr(Budget, "is_spent", lambda self, peer: False)  # otherwise it would hear the first few alone
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
    [[b"\0\1\2\3\4"], [b"x" * 60_000], [b""] * 300, FROM_ACTOR[1], FROM_LEARNER[0], BOMBS["a deep list"]],
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
    monkeypatch.setattr(Budget, "is_spent", lambda self, peer: False)
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
    assert message == Reject(["protocol_version: expected 2, found 7; update the older side"])


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

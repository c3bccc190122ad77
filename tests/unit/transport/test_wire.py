import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steadyhand.transport import wire
from steadyhand.transport.wire import (
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
from tests.transport_kit import hello

STATUS = Status(5, 2, -1, "train")
MESSAGES = [
    (hello(), None),
    (Accept({"hidden": [256, 256]}, 1, 17, STATUS), None),
    (Reject(["action: expected (7,), found (6,)"]), None),
    (Records(5, 3), b"abc"),
    (Ack(8, STATUS), None),
    (Heartbeat(), None),
    (Heartbeat(STATUS), None),
    (Bye(), None),
    (WeightsRequest(), None),
    (WeightsReply(), b"weights"),
]


@pytest.mark.parametrize(("message", "raw"), MESSAGES, ids=lambda value: type(value).__name__)
def test_round_trip(message, raw):
    assert wire.decode(wire.encode(message, raw)) == (message, raw or b"")


def test_accept_says_the_policy_version():
    assert Accept({}, 0, 0, STATUS).policy_version == 2


def header(payload: object) -> list[bytes]:
    return [wire.MAGIC + msgspec.msgpack.encode(payload)]


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [b""],
        [b"junk"],
        [wire.MAGIC],
        [b"SHD\x09" + wire.encode(Bye())[0][4:]],
        [*wire.encode(Bye()), b"frame"],
        wire.encode(Records(0, 1)),
        [*wire.encode(Records(0, 1), b"x"), b"y"],
        [wire.encode(Bye())[0] + b"trailing"],
        [wire.MAGIC + b"x" * wire.MAX_HEADER_BYTES],
        [wire.MAGIC + b"\x91" * 100_000 + b"\x01"],
        header({"message": "Bye", "unknown": 1}),
        header({"message": "Shutdown"}),
        header({"message": "Records", "first_seq": -1, "count": 1}),
        header({"message": "Records", "first_seq": 1 << 63, "count": 1}),
        header({"message": "Records", "first_seq": 1.5, "count": 1}),
        header(msgspec.to_builtins(hello()) | {"message": "Hello", "session_id": "../../etc/passwd"}),
        header(msgspec.to_builtins(hello()) | {"message": "Hello", "session_id": "a" * 32 + "\n"}),
        header(msgspec.to_builtins(hello()) | {"message": "Hello", "actor_id": "A/B"}),
        header(msgspec.to_builtins(hello()) | {"message": "Hello", "schema": msgspec.msgpack.Ext(5, b"x")}),
    ],
)
def test_anything_else_is_a_wire_error(frames):
    with pytest.raises(WireError):
        wire.decode(frames)


def test_a_header_that_is_too_large_is_not_sent():
    with pytest.raises(WireError, match="Reject"):
        wire.encode(Reject(["x" * wire.MAX_HEADER_BYTES]))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(MESSAGES), st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=6))
def test_a_mutated_message_is_decoded_or_a_wire_error(sent, changes):
    message, raw = sent
    frames = wire.encode(message, raw)
    changed = bytearray(frames[0])
    for position, value in changes:
        changed[position % len(changed)] = value
    try:
        decoded, _ = wire.decode([bytes(changed), *frames[1:]])
    except WireError:
        return
    assert isinstance(decoded, wire.Message)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=3))
def test_junk_is_a_wire_error(frames):
    with pytest.raises(WireError):
        wire.decode(frames)
    if frames:
        with pytest.raises(WireError):
            wire.decode([wire.MAGIC + b"\xc1" + frames[0], *frames[1:]])

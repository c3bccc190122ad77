"""F10: no message takes its reader much more memory than the message itself has."""

import struct
import tracemalloc
from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from steadyhand.transport import weights, wire
from steadyhand.transport.weights import Weights, WeightsError
from steadyhand.transport.wire import MAX_HEADER_BYTES, Accept, WireError
from tests.faults.hostile_messages import ROOM, SCHEMA_JSON, STATUS, TIMEOUT_S, in_hello, with_value
from tests.transport_kit import SCHEMA

pytestmark = pytest.mark.timeout(TIMEOUT_S)


def in_field(key: str, raw: bytes) -> list[bytes]:
    field = with_value(msgspec.to_builtins(SCHEMA.observation[0]), key, raw)
    return in_hello(with_value(SCHEMA_JSON, "observation", b"\x91" + field))


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

"""F10: all bytes that a peer may send decode to a message or raise a WireError."""

import random
from collections.abc import Callable, Sequence
from contextlib import closing, suppress

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steadyhand.transport import weights, wire
from steadyhand.transport.weights import Weights, WeightsError
from steadyhand.transport.wire import Reject, WireError
from tests.faults.hostile_messages import (
    EXAMPLES,
    FRAMES,
    FROM_ACTOR,
    FROM_LEARNER,
    SCHEMA_JSON,
    SEED,
    STATUS,
    TIMEOUT_S,
    mutated,
)
from tests.transport_kit import SCHEMA, hello, intake_in

pytestmark = pytest.mark.timeout(TIMEOUT_S)


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

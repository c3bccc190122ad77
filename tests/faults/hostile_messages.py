"""Messages that no honest peer sends: mutated ones, and headers with bytes of the test's own in them.

STEADYHAND_FAULT_FRAMES says how many mutated and random frames are decoded (1,000,000 for the full row).
"""

import os
import random
from collections.abc import Sequence

import msgspec

from steadyhand.transport import wire
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
)
from tests.transport_kit import SCHEMA, hello

FRAMES = int(os.environ.get("STEADYHAND_FAULT_FRAMES", "100000"))
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
TIMEOUT_S = 1800 if FRAMES > 100_000 else 180


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


SCHEMA_JSON = msgspec.to_builtins(SCHEMA)


def with_value(document: dict, key: str, raw: bytes) -> bytes:
    """Return `document` in msgpack with the bytes `raw` as the value of `key`."""
    encoded = msgspec.msgpack.encode(document | {key: "@@@@"})
    return encoded.replace(msgspec.msgpack.encode("@@@@"), raw)


def in_hello(schema: bytes) -> list[bytes]:
    return [wire.MAGIC + with_value(msgspec.to_builtins(hello()) | {"message": "Hello"}, "schema", schema)]


ROOM = MAX_HEADER_BYTES - 2000

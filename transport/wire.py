"""Messages between actor and learner: a magic, a small msgpack header, and at most one raw frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from steadyhand.runtime.logging import quoted
from steadyhand.transport.run_identity import UNKNOWN, Identity
from steadyhand.transport.schema import Schema

__all__ = [
    "ACTOR_ID",
    "MAX_HEADER_BYTES",
    "MAX_LOST",
    "PROTOCOL_VERSION",
    "Accept",
    "Ack",
    "Bye",
    "Heartbeat",
    "Hello",
    "Lost",
    "Message",
    "Records",
    "Reject",
    "Status",
    "VersionError",
    "Wanted",
    "WeightsReply",
    "WeightsRequest",
    "WireError",
    "decode",
    "encode",
    "refuse_version",
]

PROTOCOL_VERSION = 3  # 1: without the identity of run, task and robot; 2: without Lost and Wanted
FAMILY = b"SHD"
MAGIC = FAMILY + bytes([PROTOCOL_VERSION])
MAX_HEADER_BYTES = 1 << 18
MAX_FRAMES = 2
MAX_REASONS = 64  # lines of a refusal
MAX_LOST = 1024  # records that one message reports as lost

ACTOR_ID = r"[a-z0-9][a-z0-9_.-]{0,63}"
Count = Annotated[int, Meta(ge=0, lt=1 << 62)]
Index = Annotated[int, Meta(ge=0, lt=1 << 31)]
ActorId = Annotated[str, Meta(pattern=rf"^{ACTOR_ID}\Z")]
Line = Annotated[str, Meta(pattern=r"^[ -~]{0,64}\Z")]  # shown to people: no control characters
SessionId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]  # used as a folder's name


class WireError(ValueError):
    """A message of no known kind, or one that must not be sent."""


class VersionError(WireError):
    """A message of another protocol version. `version` is its own."""

    def __init__(self, version: int) -> None:
        super().__init__(f"protocol_version: expected {PROTOCOL_VERSION}, found {version}; update the older side")
        self.version = version


class _Message(msgspec.Struct, tag_field="message", tag=True, forbid_unknown_fields=True, frozen=True):
    pass


class Status(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Progress of the learner, as one session sees it."""

    updates: int  # gradient updates so far
    policy_version: int  # of the newest published weights
    transitions_allowed: int  # steps this session may have recorded before it waits (lockstep mock); -1: no limit
    learner_phase: Line
    durable_seq: Count = 0  # everything before it survives a power cut of the learner: the actor may forget it
    transitions: Count = 0  # control steps of online training that the learner has, over all sessions
    quarantined: Count = 0  # records of the session that were damaged or unfit, and are not trained on


class Hello(_Message, frozen=True):
    """The actor's first message: its schema, its run, its robot, and its id."""

    protocol_version: int
    schema: Schema
    schema_hash: Line
    control_period_s: float
    actor_id: ActorId
    session_id: SessionId  # 16 random bytes of this session, in hex
    first_seq: Count = 0  # the oldest record that the actor can still send
    identity: Identity = UNKNOWN

    @classmethod
    def of(cls, schema: Schema, actor_id: str, session_id: str, identity: Identity = UNKNOWN) -> Hello:
        """Return the HELLO of a session that records `schema`."""
        period_s = schema.control_period_s
        return cls(PROTOCOL_VERSION, schema, schema.hash, period_s, actor_id, session_id, 0, identity)


class Accept(_Message, frozen=True):
    """The learner takes the session. `policy_spec` is JSON that only `policies` understands."""

    policy_spec: dict[str, Any]
    learner_epoch: int
    next_seq: Count  # the first record that the learner does not have
    status: Status
    weights_bytes: Count = 0  # of the newest weights; nothing else arrives while they are in transit
    identity: Identity = UNKNOWN  # of the learner's run, whose id an actor without one adopts

    @property
    def policy_version(self) -> int:
        """Return the number of the newest published weights."""
        return self.status.policy_version


class Reject(_Message, frozen=True):
    """The learner refuses the session, with one readable reason a line. The same in every protocol version."""

    reasons: Annotated[list[str], Meta(max_length=MAX_REASONS)]


class Records(_Message, frozen=True):
    """`count` sealed records from `first_seq` on, in the raw frame."""

    first_seq: Count
    count: Count


class Lost(_Message, frozen=True):
    """The actor cannot send these records: they are damaged in its log, or no longer there. The learner goes on."""

    first_seq: Count
    count: Annotated[int, Meta(ge=1, le=MAX_LOST)]
    episode_id: Index  # of the first one, as far as its neighbours tell
    step_index: Index


class Wanted(_Message, frozen=True):
    """The learner's copies of these records are damaged or gone: send them again, or say that they are lost."""

    first_seq: Count
    count: Annotated[int, Meta(ge=1, le=MAX_LOST)]


class Ack(_Message, frozen=True):
    """Everything before `next_seq` is in the learner's log."""

    next_seq: Count
    status: Status


class Heartbeat(_Message, frozen=True):
    """A sign of life; the learner's carries its status."""

    status: Status | None = None


class Bye(_Message, frozen=True):
    """The sender leaves, or does not know the receiver (any more): say HELLO to go on."""


class WeightsRequest(_Message, frozen=True):
    """The actor asks for the newest weights, because it missed the broadcasts before it connected."""


class WeightsReply(_Message, frozen=True):
    """The newest weights, in the raw frame."""


FromActor = Hello | Records | Lost | Heartbeat | Bye | WeightsRequest
FromLearner = Accept | Reject | Ack | Wanted | Heartbeat | Bye | WeightsReply
Message = FromActor | FromLearner
WITH_FRAME = (Records, WeightsReply)


def _refuse_ext(code: int, data: memoryview) -> Literal[None]:
    raise ValueError(f"extension type {code}")


_ENCODER = msgspec.msgpack.Encoder()
# A side does not decode kinds that it never receives: only a learner sends JSON of no fixed shape.
_DECODERS: dict[str, msgspec.msgpack.Decoder[Any]] = {
    "actor": msgspec.msgpack.Decoder(FromActor, ext_hook=_refuse_ext),
    "learner": msgspec.msgpack.Decoder(FromLearner, ext_hook=_refuse_ext),
    "either": msgspec.msgpack.Decoder(Message, ext_hook=_refuse_ext),
}


def encode(message: Message, raw: bytes | None = None) -> list[bytes]:
    """Return the frames of one multipart message.

    Raises:
        WireError: The header is larger than the other side takes.
    """
    header = MAGIC + _ENCODER.encode(message)
    if len(header) > MAX_HEADER_BYTES:
        raise WireError(f"{type(message).__name__}: expected at most {MAX_HEADER_BYTES} bytes, found {len(header)}")
    return [header] if raw is None else [header, raw]


def refuse_version(error: VersionError) -> list[bytes]:
    """Return a refusal that the sender of another version can read."""
    return [FAMILY + bytes([error.version]) + _ENCODER.encode(Reject([str(error)]))]


def decode(frames: Sequence[bytes], sender: Literal["actor", "learner", "either"] = "either") -> tuple[Message, bytes]:
    """Return the message in `frames` and its raw frame (empty when the message has none).

    Raises:
        WireError: The frames are no such message, or one of a kind that `sender` does not send.
    """
    if not 1 <= len(frames) <= MAX_FRAMES:
        raise WireError(f"message: expected 1 or 2 frames, found {len(frames)}")
    header = frames[0]
    if header.startswith(FAMILY) and len(header) > len(FAMILY) and not header.startswith(MAGIC):
        raise VersionError(header[len(FAMILY)])
    if len(header) > MAX_HEADER_BYTES or not header.startswith(MAGIC):
        raise WireError(
            f"message: expected the header of protocol {PROTOCOL_VERSION}, found {len(header)} bytes, "
            f"starting with {quoted(header[:8])}"
        )
    try:
        message: Message = _DECODERS[sender].decode(memoryview(header)[len(MAGIC) :])
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise WireError(f"message: expected a known message, found {quoted(str(error), 160)}") from None
    if isinstance(message, WITH_FRAME) != (len(frames) == 2):
        raise WireError(f"{type(message).__name__}: found {len(frames)} frames, which this message never has")
    return message, frames[-1] if len(frames) == 2 else b""

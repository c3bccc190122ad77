"""The messages of a page to the server: JSON with a `type`, decoded strictly."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

__all__ = ["Beat", "GiveUp", "Hello", "Message", "Press", "Take", "decode"]

Number = Annotated[float, msgspec.Meta(ge=-1.0, le=1.0)]
Twist = tuple[Number, Number, Number, Number, Number, Number]


class Hello(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="hello"):
    """The first message of a page."""

    token: Annotated[str, msgspec.Meta(max_length=128)]


class Take(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="take"):
    """The person wants to operate."""


class GiveUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="give_up"):
    """The person no longer wants to operate."""


class Beat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="beat"):
    """A sign of life of the operator's page, with the state of keys and pads."""

    twist: Twist  # linear then angular, in the tool frame
    held: Annotated[tuple[Literal["close", "open"], ...], msgspec.Meta(max_length=2)]


class Press(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="press"):
    """A pressed button."""

    name: Literal["resume", "stop", "park", "success", "failure", "again", "recover"]


Message = Hello | Take | GiveUp | Beat | Press
_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def decode(data: str | bytes) -> Message:
    """Return the message of one WebSocket message.

    Raises:
        msgspec.DecodeError: It is no message of this protocol.
    """
    return _decoder.decode(data)

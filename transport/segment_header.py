"""The header of a segment: its facts, checksummed and stored twice, and a mark of how many records are on the disk."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from steadyhand.transport.record import record_dtype
from steadyhand.transport.schema import Schema

__all__ = ["FORMAT_VERSION", "Header", "HeaderError", "encode_facts", "encode_header", "encode_mark"]
__all__ += ["copy_is_sound", "new_header", "read_header", "read_mark"]

MAGIC = b"SHDLOG\r\n"
FORMAT_VERSION = 2
PAGE = 4096  # header, its copy and the records each start on a page
MAX_COPY_PAGES = 1024  # a damaged header does not tell where its copy is: it is searched for on this many pages
CRC = struct.Struct("<I")  # of the fixed part and the JSON
# Format 1: magic, version, data offset, first seq, capacity, bytes of JSON. Format 2 adds `follows` after first seq.
FIXED = {1: struct.Struct("<8sIIqqI"), 2: struct.Struct("<8sIIqqqI")}
# The mark: n >= 0 is sealed with n records; n < 0 is open, and -1 - n records are surely on the disk. Format 2 adds a
# checksum over it and over the header's checksum, so that no other file's mark fits.
MARK = {1: struct.Struct("<q"), 2: struct.Struct("<qI")}


class HeaderError(ValueError):
    """Bytes that are not the header of a segment."""


class _Facts(msgspec.Struct, forbid_unknown_fields=True):
    schema: dict[str, Any]
    actor_id: str
    session_id: str


@dataclass(frozen=True)
class Header:
    """Facts of a segment.

    Attributes:
        version: Format of the file.
        schema: Schema of its records.
        actor_id: Id of the recording actor.
        session_id: 32 hex digits.
        first_seq: Number of the first record.
        follows: Number after the record before the segment: less than `first_seq` where numbers were left out on
            purpose.
        capacity: Records that the file has room for.
        data_offset: Place of the first record [bytes].
        crc: Checksum of the header.
        place: Place of the mark [bytes].
        is_copy: Whether the first header is damaged and this is the second one.
    """

    version: int
    schema: Schema
    actor_id: str
    session_id: str
    first_seq: int
    follows: int
    capacity: int
    data_offset: int
    crc: int
    place: int
    is_copy: bool = False


def new_header(
    schema: Schema,
    actor_id: str,
    session_id: str,
    first_seq: int,
    follows: int,
    segment_bytes: int,
    records: int | None = None,
) -> tuple[Header, bytes]:
    """Return the header of a new segment of about `segment_bytes` or `records`, and its bytes without a mark."""
    facts = msgspec.json.encode(_Facts(schema.to_json(), actor_id, session_id))
    place = FIXED[FORMAT_VERSION].size + CRC.size
    pages = -(-(place + MARK[FORMAT_VERSION].size + len(facts)) // PAGE)
    data_offset = 2 * pages * PAGE
    capacity = records or max(1, (segment_bytes - data_offset) // record_dtype(schema).itemsize)
    return encode_facts(
        Header(FORMAT_VERSION, schema, actor_id, session_id, first_seq, follows, capacity, data_offset, 0, place)
    )


def encode_facts(header: Header) -> tuple[Header, bytes]:
    """Return a header of the present format with its checksum, and its bytes without a mark."""
    facts = msgspec.json.encode(_Facts(header.schema.to_json(), header.actor_id, header.session_id))
    numbers = (header.data_offset, header.first_seq, header.follows, header.capacity, len(facts))
    fixed = FIXED[FORMAT_VERSION].pack(MAGIC, FORMAT_VERSION, *numbers)
    crc = zlib.crc32(fixed + facts)
    raw = fixed + CRC.pack(crc) + bytes(MARK[FORMAT_VERSION].size) + facts
    return replace(header, crc=crc, is_copy=False), raw


def encode_header(header: Header, raw: bytes, count: int, sealed: bool) -> bytes:
    """Return the first pages of a segment: the header `raw` with its mark, and the copy."""
    mark = encode_mark(header, count, sealed)
    first = raw[: header.place] + mark + raw[header.place + len(mark) :]
    half = header.data_offset // 2
    return first.ljust(half, b"\0") + raw.ljust(half, b"\0")


def encode_mark(header: Header, count: int, sealed: bool) -> bytes:
    """Return the bytes of a mark; they belong at `header.place`."""
    value = count if sealed else -1 - count
    if header.version == 1:
        return MARK[1].pack(value)
    return MARK[2].pack(value, _mark_crc(header, value))


def read_mark(fd: int, header: Header) -> tuple[int, bool] | None:
    """Return how many records the mark vouches for, and whether it is a seal; None if it cannot be believed."""
    layout = MARK[header.version]
    raw = os.pread(fd, layout.size, header.place)
    if len(raw) < layout.size:
        return None
    value = layout.unpack(raw)[0]
    count, sealed = (value, True) if value >= 0 else (-1 - value, False)
    if header.version == 1:
        # This mark has no checksum. A sealed file was cut to its length, which has to agree.
        size = header.data_offset + count * record_dtype(header.schema).itemsize
        believable = sealed and size == os.fstat(fd).st_size
    else:
        believable = layout.unpack(raw)[1] == _mark_crc(header, value)
    return (count, sealed) if believable and count <= header.capacity else None


def _mark_crc(header: Header, value: int) -> int:
    return zlib.crc32(struct.pack("<qI", value, header.crc))


def read_header(fd: int) -> Header:
    """Read the header, or its copy where the first one is damaged.

    Raises:
        HeaderError: Neither can be read.
    """
    try:
        return _parse(fd, 0)
    except HeaderError as error:
        for page in range(1, MAX_COPY_PAGES):
            magic = os.pread(fd, len(MAGIC), page * PAGE)
            if magic == MAGIC:
                return replace(_parse(fd, page * PAGE), is_copy=True)
            if not magic:
                break
        raise error


def copy_is_sound(fd: int, header: Header) -> bool:
    """Return whether the second header is there and equals the first; format 1 has none, which counts as sound."""
    if header.version == 1 or header.is_copy:
        return True
    try:
        return _parse(fd, header.data_offset // 2) == header
    except HeaderError:
        return False


def _parse(fd: int, start: int) -> Header:
    head = os.pread(fd, FIXED[FORMAT_VERSION].size, start)
    if head[: len(MAGIC)] != MAGIC or len(head) < FIXED[1].size:
        raise HeaderError("expected a log segment, found another kind of file")
    version = int.from_bytes(head[len(MAGIC) : len(MAGIC) + 4], "little")
    if version not in FIXED:
        raise HeaderError(f"expected log format 1 or {FORMAT_VERSION}, found {version}; read it with its own version")
    layout = FIXED[version]
    fixed = head[: layout.size]
    if len(fixed) < layout.size:
        raise HeaderError("the header is cut short")
    if version == 1:
        _, _, data_offset, first_seq, capacity, facts_bytes = layout.unpack(fixed)
        follows = first_seq
    else:
        _, _, data_offset, first_seq, follows, capacity, facts_bytes = layout.unpack(fixed)
    place = layout.size + CRC.size
    room = os.fstat(fd).st_size  # a read allocates all that it asks for, and damaged numbers ask for anything
    facts = os.pread(fd, min(facts_bytes, data_offset, room), start + place + MARK[version].size)
    crc = zlib.crc32(fixed + facts)
    if CRC.pack(crc) != os.pread(fd, CRC.size, start + layout.size):
        raise HeaderError("the header's checksum is wrong")
    try:
        said = msgspec.json.decode(facts, type=_Facts)
        schema = Schema.from_json(said.schema)
    except (msgspec.MsgspecError, ValueError) as error:
        raise HeaderError(str(error)) from None
    return Header(
        version, schema, said.actor_id, said.session_id, first_seq, follows, capacity, data_offset, crc, place
    )

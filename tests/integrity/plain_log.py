"""A reader of the log format that shares no code with the product: the accounts of the integrity tests rest on it.

It reads whole files, believes no mark, and decides record by record: a place in a file holds a sound record when its
number and its CRC-32 are right. Formats 1 and 2.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"SHDLOG\r\n"
PAGE = 4096
STEP, FINAL, LOST = 0, 1, 2


@dataclass(frozen=True)
class PlainRecord:
    """One place of a log: the record in it, or what is left of it."""

    seq: int  # of the place
    sound: bool
    raw: bytes
    columns: dict[str, bytes]

    def number(self, name: str) -> int:
        return int.from_bytes(self.columns[name], "little", signed=True)

    @property
    def kind(self) -> int:
        return self.columns["kind"][0]

    @property
    def valid(self) -> bool:
        return self.columns["valid"] != b"\0"


def layout(schema: dict) -> dict[str, tuple[int, int]]:
    """Return (place, bytes) of each column of a record; the last one is its CRC."""
    action = 4 * schema["action"]["shape"][0]
    sizes = [("seq", 8), ("episode_id", 8), ("step_index", 4)]
    sizes += [(name, 1) for name in ("phase", "kind", "has_human", "terminated", "truncated", "valid", "success")]
    sizes += [("stamp_ns", 8), ("policy_version", 8), ("reward", 4), ("reward_terms", 4 * len(schema["reward_terms"]))]
    sizes += [(name, action) for name in ("action", "policy_action", "human_action")]
    sizes += [("gated_command", 4 * schema["command_size"])]
    for field in schema["observation"]:
        count = {"float32": 4, "uint8": 1}[field["dtype"]]
        for size in field["shape"]:
            count *= size
        sizes.append(("observation/" + field["name"], count))
    places, place = {}, 0
    for name, size in [*sizes, ("crc", 4)]:
        places[name] = (place, size)
        place += size
    return places


def header(raw: bytes, start: int = 0) -> tuple[int, int, int, dict] | None:
    """Return (records' place, first number, capacity, facts) if a sound header begins at `start`."""
    if raw[start : start + 8] != MAGIC:
        return None
    version = raw[start + 8]
    fixed_bytes, mark_bytes = {1: (36, 8), 2: (44, 12)}[version]
    fixed = raw[start : start + fixed_bytes]
    place, first_seq = struct.unpack_from("<Iq", fixed, 12)
    capacity, length = struct.unpack_from("<qI", fixed, fixed_bytes - 12)
    facts = raw[start + fixed_bytes + 4 + mark_bytes :][:length]
    (crc,) = struct.unpack_from("<I", raw, start + fixed_bytes)
    return (place, first_seq, capacity, json.loads(facts)) if zlib.crc32(fixed + facts) == crc else None


def read_segment(path: Path, next_seq: int | None = None) -> list[PlainRecord]:
    """Return the places of one file up to the record before `next_seq`, or up to the last sound one without it."""
    raw = path.read_bytes()
    found = next(filter(None, (header(raw, start) for start in range(0, min(len(raw), 64 * PAGE), PAGE))), None)
    if found is None:
        return []
    place, first_seq, capacity, facts = found
    columns = layout(facts["schema"])
    size = sum(columns["crc"])
    records = []
    for index in range(min(capacity, (len(raw) - place) // size)):
        one = raw[place + index * size : place + (index + 1) * size]
        seq, (crc,) = first_seq + index, struct.unpack("<I", one[-4:])
        sound = one[:8] == struct.pack("<q", seq) and zlib.crc32(one[:-4]) == crc
        records.append(PlainRecord(seq, sound, one, {n: one[at : at + wide] for n, (at, wide) in columns.items()}))
    if next_seq is not None:
        return [record for record in records if record.seq < next_seq]
    while records and not records[-1].sound:
        records.pop()
    return records


def places(folder: Path) -> Iterator[PlainRecord]:
    """Yield the places of a log in order, file by file: a whole log may not fit into memory."""
    files = sorted(folder.glob("*.segment"))
    firsts = [int(path.stem) for path in files[1:]] + [None] * bool(files)
    for path, next_seq in zip(files, firsts, strict=True):
        yield from read_segment(path, next_seq)


def read_log(folder: Path) -> list[PlainRecord]:
    """Return the places of a log in order."""
    return list(places(folder))


def flip(folder: Path, seq: int, column: str = "observation/state", bit: int = 3, at: int = 0) -> None:
    """Flip one bit of a record on the disk."""
    for path in sorted(folder.glob("*.segment")):
        raw = path.read_bytes()
        place, first_seq, _, facts = header(raw) or header(raw, PAGE)
        columns = layout(facts["schema"])
        size = sum(columns["crc"])
        start = place + (seq - first_seq) * size
        if first_seq <= seq and start + size <= len(raw):
            with path.open("r+b") as file:
                file.seek(start + columns[column][0] + at)
                byte = file.read(1)[0]
                file.seek(-1, 1)
                file.write(bytes([byte ^ 1 << bit]))
            return
    raise LookupError(f"seq {seq} is not in {folder}")

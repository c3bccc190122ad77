"""The record: one step in a fixed number of bytes, laid out as the schema says."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.runtime.observation_kinds import KINDS
from steadyhand.transport.schema import Schema

__all__ = [
    "OBSERVATION",
    "Kind",
    "Phase",
    "Place",
    "RecordError",
    "checksum",
    "is_sound",
    "lost_record",
    "place_between",
    "record_dtype",
    "seal",
    "sound_prefix",
    "stand_in",
    "valid_starts",
]

OBSERVATION = "observation/"  # prefix of the name of an observation's field
SEQ = struct.Struct("<q")  # the first bytes of a record
CRC = struct.Struct("<I")  # the last bytes of a record


class RecordError(ValueError):
    """Bytes or an array that are not the expected records."""


class Phase(IntEnum):
    """Purpose of an episode."""

    TRAIN = 0
    DEMO = 1
    EVAL = 2


class Kind(IntEnum):
    """A step, the observation that ends an episode (its action is zero), or the place of a quarantined record."""

    STEP = 0
    FINAL = 1
    LOST = 2


@dataclass(frozen=True)
class Place:
    """Episode and step of a record, as far as its neighbours tell."""

    episode_id: int
    step_index: int
    phase: Phase = Phase.TRAIN

    def __str__(self) -> str:
        return f"episode {self.episode_id}, step {self.step_index}"


@lru_cache(maxsize=64)
def record_dtype(schema: Schema) -> np.dtype[np.void]:
    """Return the packed little-endian layout of one record of `schema`.

    `stamp_ns` is the actor's monotonic clock. `action`, `policy_action` and `human_action` are (A,) in [-1, 1] before
    the safety gate; `gated_command` (C,) is the command sent to the robot, in SI units; `reward_terms` is (k,).
    """
    action = ("<f4", schema.action.shape)
    fields: list[tuple[str, Any]] = [
        ("seq", "<i8"),
        ("episode_id", "<i8"),
        ("step_index", "<i4"),
        ("phase", "u1"),
        ("kind", "u1"),
        ("has_human", "?"),
        ("terminated", "?"),
        ("truncated", "?"),
        ("valid", "?"),
        ("success", "?"),
        ("stamp_ns", "<i8"),
        ("policy_version", "<i8"),
        ("reward", "<f4"),
        ("reward_terms", ("<f4", (len(schema.reward_terms),))),
        ("action", action),
        ("policy_action", action),
        ("human_action", action),
        ("gated_command", ("<f4", (schema.command_size,))),
    ]
    for field in schema.observation:
        fields.append((OBSERVATION + field.name, (KINDS[field.dtype].stored, field.shape)))
    return np.dtype([*fields, ("crc", "<u4")])


def checksum(*parts: bytes | memoryview) -> int:
    """Return the CRC-32 of `parts` one after the other."""
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return crc


def seal(raw: memoryview) -> None:
    """Write the checksum of everything before it into the last four bytes of one record's writable bytes."""
    CRC.pack_into(raw, len(raw) - CRC.size, checksum(raw[: -CRC.size]))


def is_sound(raw: memoryview) -> bool:
    """Return whether one record's bytes are unchanged since they were sealed."""
    return bool(CRC.unpack_from(raw, len(raw) - CRC.size)[0] == checksum(raw[: -CRC.size]))


def place_between(before: np.void | None, after: np.void | None, behind: int = 1, ahead: int = 1) -> Place:
    """Return the place of a record that cannot be read, from the sound records around it.

    Args:
        before: The newest sound record before it; None = there is none.
        after: The oldest sound record after it; None = there is none.
        behind: Distance to `before` in records.
        ahead: Distance to `after` in records.
    """
    if after is not None and after["step_index"] >= ahead:
        return Place(int(after["episode_id"]), int(after["step_index"]) - ahead, _phase(after))
    if before is None:
        return Place(0, behind - 1)
    if before["kind"] == Kind.FINAL:
        return Place(int(before["episode_id"]) + 1, behind - 1, _phase(before))
    return Place(int(before["episode_id"]), int(before["step_index"]) + behind, _phase(before))


def _phase(record: np.void) -> Phase:
    return Phase(int(record["phase"])) if record["phase"] in tuple(Phase) else Phase.TRAIN


def stand_in(dtype: np.dtype[np.void], seq: int, place: Place) -> NDArray[np.void]:
    """Return the record () that is read in the place of a damaged one: it keeps the number, and is never valid."""
    row = np.zeros((), dtype)
    row["seq"], row["kind"] = seq, Kind.LOST
    row["episode_id"], row["step_index"], row["phase"] = place.episode_id, place.step_index, place.phase
    return row


def lost_record(dtype: np.dtype[np.void], seq: int, place: Place) -> bytes:
    """Return the sealed bytes that are stored in the place of a quarantined record."""
    raw = stand_in(dtype, seq, place).reshape(1).view(np.uint8)
    seal(raw.data)
    return raw.tobytes()


def sound_prefix(raw: memoryview, record_bytes: int, first_seq: int) -> int:
    """Return how many leading records of `raw` are whole, sealed, and numbered from `first_seq` without a gap."""
    for index in range(len(raw) // record_bytes):
        one = raw[index * record_bytes : (index + 1) * record_bytes]
        # The number is checked first: it tells a preallocated empty place from a record without a checksum.
        if SEQ.unpack_from(one)[0] != first_seq + index or not is_sound(one):
            return index
    return len(raw) // record_bytes


def valid_starts(rows: NDArray[np.void] | Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Return which records may start a transition: a valid step whose valid successor is the next record.

    Args:
        rows: Records of one log in order, or their columns `seq, episode_id, step_index, kind, valid`, each (n,).

    Returns:
        (n,) bool. The last one is False: its successor has not come, or never will.
    """
    seq, episode, step, valid = (np.asarray(rows[name]) for name in ("seq", "episode_id", "step_index", "valid"))
    starts = np.zeros(len(seq), bool)
    starts[:-1] = (
        (np.asarray(rows["kind"])[:-1] == Kind.STEP)
        & valid[:-1]
        & valid[1:]
        & (np.diff(seq) == 1)
        & (np.diff(episode) == 0)
        & (np.diff(step) == 1)
    )
    return starts

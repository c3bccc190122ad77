"""The physical schema of a record: its measurements, with shapes, bounds, units and frames."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from steadyhand.runtime.logging import quoted
from steadyhand.runtime.observation_kinds import DTYPES, IMAGE, KINDS, Dtype

__all__ = ["EntryKind", "FieldSpec", "Schema", "SchemaError"]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,63}")
MAX_TEXT = 64  # characters of a name, a unit or a frame
MAX_FIELDS = 64
MAX_DIMENSIONS = 8
MAX_SCALE = 8192
MAX_ELEMENTS = 1 << 26  # of one field: a peer's schema must not cause an unbounded allocation
MAX_BYTES = 1 << 30  # of all fields: numpy counts a record's bytes in 32 bits, and wraps around beyond 2 GiB
WIDTHS = {name: np.dtype(kind.stored).itemsize for name, kind in KINDS.items()}  # bytes of an element
# A peer's bytes are decoded into these types, whose bounds are checked before anything is allocated.
Text = Annotated[str, Meta(max_length=MAX_TEXT)]
EntryKind = Literal["motion", "gripper"]  # of an entry of an action
UNHASHED = ("privileged", "kinds")  # they say how to use a field, and nothing about its layout


class SchemaError(ValueError):
    """A schema that cannot be used, or two that do not fit."""


@dataclass(frozen=True)
class FieldSpec:
    """One measured quantity: `shape` elements of `dtype` within [low, high], in `unit`, seen from `frame`.

    `scale` is the typical deviation from zero of each element of a vector, in `unit`; () where it is not
    known. `privileged` says whether a policy from images must not read the field; None = recorded by a release
    whose schemas did not say so. `kinds` says of each entry of an action what it commands, such as `gripper`; () where
    that is not known. Neither belongs to the layout or to the hash, and two schemas that differ in nothing else are
    equal.
    """

    name: Text
    shape: Annotated[tuple[int, ...], Meta(max_length=MAX_DIMENSIONS)]
    dtype: Dtype
    low: float
    high: float
    unit: Text
    frame: Text
    scale: Annotated[tuple[float, ...], Meta(max_length=MAX_SCALE)] = ()
    privileged: bool | None = dataclass_field(default=None, compare=False)
    kinds: Annotated[tuple[EntryKind, ...], Meta(max_length=MAX_SCALE)] = dataclass_field(default=(), compare=False)

    def __post_init__(self) -> None:
        # Adding 0.0 turns -0.0 into 0.0, so equal bounds have equal hashes.
        for name in ("low", "high"):
            object.__setattr__(self, name, float(getattr(self, name)) + 0.0)
        object.__setattr__(self, "shape", tuple(int(size) for size in self.shape))
        object.__setattr__(self, "scale", tuple(float(value) for value in self.scale))
        if NAME.fullmatch(self.name) is None:
            raise SchemaError(f"field name: expected 1 to 64 of A-Z a-z 0-9 _ . / -, found {quoted(self.name)}")
        if self.dtype not in DTYPES:
            raise SchemaError(f"{self.name}: expected dtype {' or '.join(DTYPES)}, found {quoted(self.dtype)}")
        if len(self.shape) > MAX_DIMENSIONS or not all(1 <= size <= MAX_ELEMENTS for size in self.shape):
            raise SchemaError(f"{self.name}: expected at most {MAX_DIMENSIONS} sizes from 1 on, found {self.shape}")
        if math.prod(self.shape) > MAX_ELEMENTS:
            raise SchemaError(f"{self.name}: expected at most {MAX_ELEMENTS} elements in all, found {self.shape}")
        if not self.low <= self.high:
            raise SchemaError(f"{self.name}: expected low <= high, found [{self.low}, {self.high}]")
        if self.scale and (len(self.shape) != 1 or len(self.scale) != self.shape[0]):
            raise SchemaError(f"{self.name}: expected a scale per element of {self.shape}, found {len(self.scale)}")
        if len(self.scale) > MAX_SCALE:
            raise SchemaError(f"{self.name}: expected at most {MAX_SCALE} scales, or none, found {len(self.scale)}")
        object.__setattr__(self, "kinds", tuple(self.kinds))
        if self.kinds and (len(self.shape) != 1 or len(self.kinds) != self.shape[0]):
            raise SchemaError(f"{self.name}: expected a kind per entry of {self.shape}, found {len(self.kinds)}")
        if not all(0.0 < value < math.inf for value in self.scale):
            raise SchemaError(f"{self.name}: expected scales above 0, found {self.scale}")
        for text in (self.unit, self.frame):
            if len(text) > MAX_TEXT or not text.isprintable():
                raise SchemaError(f"{self.name}: expected a short printable unit and frame, found {quoted(text)}")

    @property
    def gripper_entries(self) -> tuple[int, ...]:
        """Indices of the entries of an action that command grippers."""
        return tuple(index for index, kind in enumerate(self.kinds) if kind == "gripper")

    @property
    def is_image(self) -> bool:
        """True while the field is a camera's image; otherwise it is a vector."""
        return self.dtype == IMAGE.dtype


@dataclass(frozen=True)
class Schema:
    """The fields of one step of one robot; they fix the layout of a record.

    `observation` holds frames (h, w, 3) uint8 and vectors (n,) float32 in SI units; `action` is (A,) float32 in
    [-1, 1]; `command_size` is the length of the gated command; `reward_terms` names the parts of the reward.
    """

    observation: Annotated[tuple[FieldSpec, ...], Meta(max_length=MAX_FIELDS)]
    action: FieldSpec
    command_size: int
    reward_terms: Annotated[tuple[Text, ...], Meta(max_length=MAX_FIELDS)]
    control_period_s: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "control_period_s", float(self.control_period_s))
        names = [field.name for field in self.observation]
        if not 1 <= len(names) <= MAX_FIELDS or len(set(names)) < len(names):
            raise SchemaError(f"observation: expected 1 to {MAX_FIELDS} fields with different names, found {names}")
        if len(self.action.shape) != 1 or self.action.dtype != "float32":
            raise SchemaError(f"action: expected (A,) float32, found {self.action.shape} {self.action.dtype}")
        if not 0 <= self.command_size <= MAX_ELEMENTS:
            raise SchemaError(f"command_size: expected 0 to {MAX_ELEMENTS}, found {self.command_size}")
        if len(self.reward_terms) > MAX_FIELDS or any(NAME.fullmatch(term) is None for term in self.reward_terms):
            raise SchemaError(f"reward_terms: expected at most {MAX_FIELDS} names, found {quoted(self.reward_terms)}")
        numbers = 3 * math.prod(self.action.shape) + self.command_size
        total = 4 * numbers + sum(math.prod(one.shape) * WIDTHS[one.dtype] for one in self.observation)
        if total > MAX_BYTES:
            raise SchemaError(f"schema: expected records of at most {MAX_BYTES} bytes, found {total}")
        if not (self.control_period_s > 0 and math.isfinite(self.control_period_s)):
            raise SchemaError(f"control_period_s: expected a time above 0 s, found {self.control_period_s}")

    @property
    def hash(self) -> str:
        """Return the SHA-256 of the canonical JSON, in hex. The order of the fields counts: it is the layout."""
        facts = msgspec.to_builtins(self)
        for spec in (*facts["observation"], facts["action"]):
            for name in UNHASHED:
                spec.pop(name, None)
        return hashlib.sha256(msgspec.json.encode(facts, order="sorted")).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; an infinite bound is null."""
        return dict(msgspec.json.decode(msgspec.json.encode(self)))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Schema:
        """Return the schema that `to_json` described.

        Raises:
            SchemaError: The values are no schema, such as a hostile peer's.
        """
        try:
            fields = [_bounded(field) for field in data["observation"]]
            return msgspec.convert({**data, "observation": fields, "action": _bounded(data["action"])}, cls)
        except (msgspec.ValidationError, KeyError, TypeError, ValueError) as error:
            raise SchemaError(f"schema: expected the JSON of a schema, found {quoted(str(error), 200)}") from None

    def observation_field(self, name: str) -> FieldSpec:
        """Return the observation field called `name`."""
        for field in self.observation:
            if field.name == name:
                return field
        valid = ", ".join(field.name for field in self.observation)
        raise SchemaError(f"observation {quoted(name)}: no such field; valid names: {valid}")

    def diff(self, other: Schema, extras: bool = True) -> list[str]:
        """Return one readable line per difference of `other` from `self`, the expected schema; empty when they fit.

        Args:
            other: The schema that was found.
            extras: Count observation fields that only `other` has as a difference too.
        """
        found = {field.name: field for field in other.observation}
        lines: list[str] = []
        for field in self.observation:
            if field.name in found:
                lines += _field_diff(f"observation {field.name}", field, found[field.name])
            else:
                lines.append(f"observation {field.name}: expected, found only {', '.join(found)}")
        lines += _field_diff("action", self.action, other.action)
        lines += _line("action: scale", self.action.scale, other.action.scale)
        for name in ("command_size", "reward_terms", "control_period_s"):
            lines += _line(name, getattr(self, name), getattr(other, name))
        if extras:
            known = [field.name for field in self.observation]
            lines += [f"observation {name}: not expected, found" for name in found if name not in known]
            if not lines and known != list(found):
                lines.append(f"observation: expected the order {', '.join(known)}, found {', '.join(found)}")
        return lines


def _field_diff(where: str, expected: FieldSpec, found: FieldSpec) -> list[str]:
    lines: list[str] = []
    # Not `scale`: it gives an observation's typical size, not its meaning.
    for name in ("name", "shape", "dtype", "low", "high", "unit", "frame"):
        lines += _line(f"{where}: {name}", getattr(expected, name), getattr(found, name))
    return lines


def _line(where: str, expected: object, found: object) -> list[str]:
    return [] if expected == found else [f"{where}: expected {expected}, found {found}"]


def _bounded(field: Mapping[str, Any]) -> dict[str, Any]:
    """Put back the infinite bounds that JSON cannot hold."""
    low, high = field["low"], field["high"]
    return {**field, "low": -math.inf if low is None else low, "high": math.inf if high is None else high}

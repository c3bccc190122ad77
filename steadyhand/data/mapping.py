"""Mapping from a foreign set's columns to the fields of a schema: named by the caller, found by name, or refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from steadyhand.data.foreign import ForeignDataError, ForeignField, ForeignSet
from steadyhand.data.gripper_presses import GripperMeaning, GripperStart
from steadyhand.runtime.logging import escaped, quoted
from steadyhand.transport.schema import FieldSpec, Schema

__all__ = ["Choices", "Plan", "Source", "plain_name", "plan_import", "read_choices"]

REFERENCE = re.compile(r"(?P<key>[^\[\]]+)(\[(?P<first>\d+)(:(?P<end>\d+))?\])?")
PREFIXES = ("", "observation.", "observation.images.", "observation.image.", "images.", "state.")
MOST_SHOWN = 12  # columns in one line
PERIOD_TOLERANCE = 0.01  # share by which the periods of two sets may differ
MAX_FILE = 1 << 20

Success = Literal["marked", "reward", "all", "none"]
Rewards = Literal["data", "sparse"]


class Choices(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The caller's choices, from the options or from a YAML file.

    Attributes:
        observations: Column of the foreign set by the name of a field, as `key`, `key[3]` or `key[0:7]`.
        action: Column of the action, in the same form; None = the format's own.
        action_low: Value that becomes -1, for all axes or for each; None = the actions are within [-1, 1] already.
        action_high: Value that becomes 1.
        success: Which episodes succeeded. `marked`: the set says so. `reward`: a reward of the episode is above 0.
        rewards: `data`: those of the set. `sparse`: 1 at the last step of a success, else 0; for sets without any.
        resize: Scale pictures of another size.
        any_period: Accept a set whose period is not the task's.
        gripper: Meaning of the gripper entries; None = as the format has it.
        gripper_start: State of a gripper before the first press of an episode.
    """

    observations: dict[str, str] = {}
    action: str | None = None
    action_low: float | tuple[float, ...] | None = None
    action_high: float | tuple[float, ...] | None = None
    success: Success = "marked"
    rewards: Rewards = "data"
    resize: bool = False
    any_period: bool = False
    gripper: GripperMeaning | None = None
    gripper_start: GripperStart = "inferred"


@dataclass(frozen=True)
class Source:
    """One column, or a part [first, end) of the elements of a vector; `end` None = the whole column."""

    key: str
    first: int = 0
    end: int | None = None

    def __str__(self) -> str:
        return self.key if self.end is None else f"{self.key}[{self.first}:{self.end}]"


@dataclass(frozen=True)
class Plan:
    """The column of each field of a schema, and of the action; `presses` are the entries of it that are presses."""

    schema: Schema
    observations: Mapping[str, Source]
    action: Source
    choices: Choices
    presses: tuple[int, ...] = ()

    @property
    def wanted(self) -> list[str]:
        """Return the keys of the observations to read."""
        return list(dict.fromkeys(source.key for source in self.observations.values()))

    def rows(self, source: ForeignSet) -> list[tuple[str, str, str, str]]:
        """Return (field, its shape, column, its shape) for a table."""
        found = [
            (one.name, _shape(one), str(self.observations[one.name]), str(source.observations[where.key]))
            for one in self.schema.observation
            for where in [self.observations[one.name]]
        ]
        action = source.actions[self.action.key]
        return [*found, ("action", _shape(self.schema.action), str(self.action), str(action))]


def read_choices(path: Path) -> Choices:
    """Read the choices of a YAML file.

    Raises:
        ForeignDataError: It is no such file; the line names the key.
    """
    try:
        with path.open("rb") as file:
            values = yaml.safe_load(file.read(MAX_FILE))
        return msgspec.convert(values or {}, Choices)
    except (OSError, yaml.YAMLError, msgspec.ValidationError, RecursionError) as error:
        found = escaped(" ".join(str(error).split()), 160)
        known = ", ".join(Choices.__struct_fields__)
        raise ForeignDataError(f"{path}: expected a mapping with the keys {known}, found {found}") from None


def plan_import(source: ForeignSet, schema: Schema, choices: Choices) -> Plan:
    """Find the column of every field, and check shapes, types and period.

    Raises:
        ForeignDataError: Something does not fit. The line names all fields without a column, or the first that is
            wrong, and the option that mends it.
    """
    known = [one.name for one in schema.observation]
    for name in choices.observations:
        if name not in known:
            raise ForeignDataError(f"observations: expected names of {', '.join(known)}, found {quoted(name)}")
    found: dict[str, Source] = {}
    for one in schema.observation:
        text = choices.observations.get(one.name)
        where = _parsed(text, source.observations) if text is not None else _by_name(one, source.observations)
        if where is not None:
            _check_shape(one, where, source.observations[where.key], choices.resize)
            found[one.name] = where
    missing = [one for one in schema.observation if one.name not in found]
    if missing:
        lacking = ", ".join(f"{one.name} {_shape(one)}" for one in missing)
        raise ForeignDataError(
            f"observations: expected a column for {lacking}, found none of that name among {_listed(source)}; "
            f"name it: --observation {missing[0].name}=COLUMN[FIRST:END]"
        )
    action = _parsed(choices.action or source.default_action, source.actions, "--action")
    size = _size(source.actions[action.key], action)
    if size != schema.action.shape:
        raise ForeignDataError(
            f"action: expected {_shape(schema.action)}, found {action} of {source.actions[action.key]}; "
            "choose its part: --action COLUMN[FIRST:END]"
        )
    _check_range(choices, schema.action.shape[0])
    _check_period(source, schema, choices)
    return Plan(schema, found, action, choices, _presses(source, schema, choices))


def _presses(source: ForeignSet, schema: Schema, choices: Choices) -> tuple[int, ...]:
    """Return the entries of an action that are presses of a gripper's button."""
    if choices.gripper == "press" and not schema.action.gripper_entries:
        raise ForeignDataError(
            "gripper: expected a task whose action has a gripper entry, found none; leave --gripper out, or give "
            "task.drive.learns_gripper=true"
        )
    return schema.action.gripper_entries if (choices.gripper or source.gripper) == "press" else ()


def plain_name(name: str) -> str:
    """Return a field's name as formats without slashes write it."""
    return name.replace("/", ".")


def _parsed(text: str, columns: Mapping[str, ForeignField], option: str = "--observation") -> Source:
    if text in columns:
        return Source(text)
    match = REFERENCE.fullmatch(text)
    if match is None or match["key"] not in columns:
        raise ForeignDataError(f"{option}: expected one of {_names(columns)}, found {quoted(text)}")
    first = int(match["first"] or 0)
    end = None if match["first"] is None else int(match["end"] or first + 1)
    shape = columns[match["key"]].shape
    if end is not None and (len(shape) != 1 or not first < end <= shape[0]):
        raise ForeignDataError(f"{option}: expected a part of {match['key']} {shape}, found {quoted(text)}")
    return Source(match["key"], first, end)


def _by_name(one: FieldSpec, columns: Mapping[str, ForeignField]) -> Source | None:
    """Return the column with the field's name, or the part of a vector whose elements are named after the field."""
    plain = plain_name(one.name)
    by_plain = {plain_name(key): key for key in columns}
    for prefix in PREFIXES:
        if prefix + plain in by_plain:
            return Source(by_plain[prefix + plain])
    if len(one.shape) == 1:
        elements = tuple(f"{plain}.{index}" for index in range(one.shape[0]))
        for key, column in columns.items():
            if elements[0] in column.names:
                first = column.names.index(elements[0])
                if column.names[first : first + len(elements)] == elements:
                    return Source(key, first, first + len(elements))
    return None


def _check_shape(one: FieldSpec, where: Source, column: ForeignField, resize: bool) -> None:
    shape = _size(column, where)
    if one.is_image:
        shape = shape[1:] if len(shape) == 4 and shape[0] == 1 else shape  # a stack of one
        is_picture = column.dtype == "uint8" and len(shape) == 3 and 3 in (shape[0], shape[2])
        size = shape if is_picture and shape[2] == 3 else shape[1:] + shape[:1] if is_picture else ()
        if is_picture and (size == one.shape or resize):
            return
        remedy = "; scale it: --resize" if is_picture else "; give pictures of 8-bit RGB"
    else:
        if column.dtype != "uint8" and shape in (one.shape, (1, *one.shape)):
            return
        remedy = f"; choose its part: --observation {one.name}=COLUMN[FIRST:END]"
    raise ForeignDataError(f"{one.name}: expected {_shape(one)} {one.dtype}, found {where} of {column}{remedy}")


def _check_range(choices: Choices, axes: int) -> None:
    low, high = choices.action_low, choices.action_high
    if low is None and high is None:
        return
    if low is None or high is None:
        raise ForeignDataError("action: expected both action_low and action_high, found one of them")
    for name, value in (("action_low", low), ("action_high", high)):
        if isinstance(value, tuple) and len(value) != axes:
            raise ForeignDataError(f"{name}: expected one number, or {axes}, found {len(value)}")
    lows, highs = (value if isinstance(value, tuple) else (value,) * axes for value in (low, high))
    if not all(a < b and abs(a) < float("inf") and abs(b) < float("inf") for a, b in zip(lows, highs, strict=True)):
        raise ForeignDataError(f"action: expected action_low below action_high, found {low} and {high}")


def _check_period(source: ForeignSet, schema: Schema, choices: Choices) -> None:
    if source.period_s is None or choices.any_period:
        return
    if abs(source.period_s - schema.control_period_s) > PERIOD_TOLERANCE * schema.control_period_s:
        raise ForeignDataError(
            f"period: expected {schema.control_period_s:g} s of the task, found {source.period_s:g} s "
            f"({1 / source.period_s:g} Hz); give the task that period, or accept it: --any-period"
        )


def _size(column: ForeignField, where: Source) -> tuple[int, ...]:
    return column.shape if where.end is None else (where.end - where.first,)


def _shape(one: FieldSpec) -> str:
    return f"({', '.join(map(str, one.shape))})"


def _listed(source: ForeignSet) -> str:
    shown = [f"{escaped(key, 60)} {one.shape}" for key, one in source.observations.items()]
    more = f" and {len(shown) - MOST_SHOWN} more" if len(shown) > MOST_SHOWN else ""
    return f"{', '.join(shown[:MOST_SHOWN]) or 'no column'}{more}"


def _names(columns: Mapping[str, Any] | Sequence[str]) -> str:
    return ", ".join(escaped(key, 60) for key in list(columns)[:MOST_SHOWN]) or "none, as there is no such column"

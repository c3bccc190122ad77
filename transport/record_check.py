"""Check of the values in records: a peer's record may be whole and still be unfit for training."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from steadyhand.transport.record import OBSERVATION, Kind, Phase, record_dtype
from steadyhand.transport.schema import FieldSpec, Schema

__all__ = ["Columns", "RecordCheck"]

ACTION_BOUND = 1.001  # rounding is not beyond
LARGEST_NUMBER = 1e9  # of a reward, and of a reading without bounds: a sum of squares stays finite in float32
SLACK = 10.0  # widths of a field's range that a reading may be outside it: sensors overshoot, and are recorded
LARGEST_FLOAT = float(np.finfo(np.float32).max)
LARGEST_INDEX = 1 << 40  # of episodes and policy versions
ACTIONS = ("action", "policy_action", "human_action")
COUNTERS = ("kind", "phase", "episode_id", "step_index", "stamp_ns", "policy_version")
NUMBERS = ("reward", "reward_terms", "gated_command")
FLAGS = ("has_human", "terminated", "truncated", "valid", "success")


class Columns(Protocol):
    """Source of the columns of records by name, such as an array of records."""

    def __getitem__(self, name: str, /) -> NDArray[Any]:
        """Return one column (n, ...)."""
        ...


_Note = Callable[[NDArray[np.bool_], str], None]


class RecordCheck:
    """Finds records whose numbers are not finite or not possible.

    An actor stores zeros in the place of readings that are not finite and marks the record as not valid, so no honest
    record has NaN in it. A record that is not valid may have any finite numbers.

    Args:
        schema: Schema of the records.
    """

    def __init__(self, schema: Schema) -> None:
        self._fields = [(OBSERVATION + one.name, *_range(one)) for one in schema.observation if not one.is_image]
        self._blocks = _Blocks(schema, self._fields)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns that are read."""
        return (*COUNTERS, *NUMBERS, *ACTIONS, *FLAGS, *(name for name, _, _ in self._fields))

    def faults(self, records: Columns, stored: bool = False) -> dict[int, str]:
        """Return the index of every unfit one of records (n,), and its first fault in a few words.

        Args:
            records: An array of records, or another source of their columns by name.
            stored: Whether the records are in a log already, where lost ones have their place.
        """
        if isinstance(records, np.ndarray) and self._blocks.are_fit(records):
            return {}
        found: dict[int, str] = {}

        def note(bad: NDArray[np.bool_], text: str) -> None:
            for index in np.flatnonzero(bad).tolist() if bad.any() else ():
                found.setdefault(index, text)

        kinds = (Kind.STEP, Kind.FINAL, Kind.LOST) if stored else (Kind.STEP, Kind.FINAL)
        note(~np.isin(records["kind"], kinds), "an unknown kind")
        note(records["phase"] > max(Phase), "an unknown phase")
        for name in FLAGS:
            note(records[name].view(np.uint8) > 1, f"{name} is neither 0 nor 1")
        note((records["episode_id"] < 0) | (records["episode_id"] > LARGEST_INDEX), "an impossible episode_id")
        note(records["step_index"] < 0, "an impossible step_index")
        note(records["stamp_ns"] < 0, "an impossible stamp_ns")
        note((records["policy_version"] < -1) | (records["policy_version"] > LARGEST_INDEX), "an impossible version")
        with np.errstate(invalid="ignore"):
            self._note_numbers(records, note)
        return found

    def _note_numbers(self, records: Columns, note: _Note) -> None:
        valid = records["valid"]
        for name, low, high in self._fields:
            values = records[name].reshape(len(valid), -1)
            note(~np.isfinite(values).all(axis=1), f"{name} is not finite")
            note(valid & ((values < low) | (values > high)).any(axis=1), f"{name} is out of range")
        for name in ACTIONS:
            note(~np.isfinite(records[name]).all(axis=1), f"{name} is not finite")
            note(valid & (np.abs(records[name]) > ACTION_BOUND).any(axis=1), f"{name} is outside [-1, 1]")
        for name in NUMBERS:
            values = records[name].reshape(len(valid), -1)
            note(~np.isfinite(values).all(axis=1), f"{name} is not finite")
        note(valid & (np.abs(records["reward"]) > LARGEST_NUMBER), "reward is out of range")


class _Blocks:
    """Quick check of whole records: neighbouring columns of one type are looked at together.

    It may find fault with a fit record, and then each column is looked at; never the other way round.
    """

    def __init__(self, schema: Schema, fields: Sequence[tuple[str, float, float]]) -> None:
        dtype = record_dtype(schema)
        places = {name: int(place[1]) for name, place in (dtype.fields or {}).items()}
        numbers = [
            (dtype[name].itemsize // 4, bound)
            for name, bound in (
                ("reward", LARGEST_NUMBER),
                ("reward_terms", LARGEST_FLOAT),
                *((name, ACTION_BOUND) for name in ACTIONS),
                ("gated_command", LARGEST_FLOAT),
            )
        ]
        self._flag_bounds = np.array([max(Phase), Kind.FINAL, *(1 for _ in FLAGS)], np.uint8)
        self._bounds = np.concatenate([np.full(count, bound, np.float32) for count, bound in numbers])
        blocks = {
            "episode_id": ("<i8", places["episode_id"]),
            "step_index": ("<i4", places["step_index"]),
            "flags": (("u1", self._flag_bounds.shape), places["phase"]),
            "stamp_ns": ("<i8", places["stamp_ns"]),
            "policy_version": ("<i8", places["policy_version"]),
            "numbers": (("<f4", self._bounds.shape), places["reward"]),
        }
        self._readings = [(name, low, high) for name, low, high in fields if dtype[name].itemsize]
        for name, _, _ in self._readings:
            blocks[name] = (("<f4", (dtype[name].itemsize // 4,)), places[name])
        self._view = np.dtype(
            {
                "names": list(blocks),
                "formats": [kind for kind, _ in blocks.values()],
                "offsets": [place for _, place in blocks.values()],
                "itemsize": dtype.itemsize,
            }
        )

    def are_fit(self, records: NDArray[np.void]) -> bool:
        """Return whether all of records (n,) are fit for certain."""
        if not len(records):
            return True
        view = records.view(self._view)
        episode, version = view["episode_id"], view["policy_version"]
        return bool(
            (view["flags"] <= self._flag_bounds).all()
            and (np.abs(view["numbers"]) <= self._bounds).all()
            and all(
                (low <= view[name]).all() and (view[name] <= high).all() for name, low, high in self._readings
            )  # False for NaN
            and 0 <= episode.min() <= episode.max() <= LARGEST_INDEX
            and -1 <= version.min() <= version.max() <= LARGEST_INDEX
            and min(view["step_index"].min(), view["stamp_ns"].min()) >= 0
        )


def _range(field: FieldSpec) -> tuple[float, float]:
    """Return the bounds that a reading of a vector must not leave."""
    width = field.high - field.low
    if not math.isfinite(width):
        return -LARGEST_NUMBER, LARGEST_NUMBER
    slack = SLACK * max(width, 1.0)
    return max(field.low - slack, -LARGEST_NUMBER), min(field.high + slack, LARGEST_NUMBER)

"""Check of the values in records: a peer's record may be whole and still be unfit for training."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from steadyhand.transport.record import OBSERVATION, Kind, Phase
from steadyhand.transport.schema import FieldSpec, Schema

__all__ = ["Columns", "RecordCheck"]

ACTION_BOUND = 1.001  # rounding is not beyond
LARGEST_NUMBER = 1e9  # of a reward, and of a reading without bounds: a sum of squares stays finite in float32
SLACK = 10.0  # widths of a field's range that a reading may be outside it: sensors overshoot, and are recorded
LARGEST_INDEX = 1 << 40  # of episodes and policy versions
ACTIONS = ("action", "policy_action", "human_action")
COLUMNS = ("kind", "phase", "episode_id", "step_index", "stamp_ns", "policy_version")
COLUMNS += ("reward", "reward_terms", "gated_command")
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

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns that are read."""
        return (*COLUMNS, *ACTIONS, *FLAGS, *(name for name, _, _ in self._fields))

    def faults(self, records: Columns, stored: bool = False) -> dict[int, str]:
        """Return the index of every unfit one of records (n,), and its first fault in a few words.

        Args:
            records: An array of records, or another source of their columns by name.
            stored: Whether the records are in a log already, where lost ones have their place.
        """
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
        for name in ("reward", "reward_terms", "gated_command"):
            values = records[name].reshape(len(valid), -1)
            note(~np.isfinite(values).all(axis=1), f"{name} is not finite")
        note(valid & (np.abs(records["reward"]) > LARGEST_NUMBER), "reward is out of range")


def _range(field: FieldSpec) -> tuple[float, float]:
    """Return the bounds that a reading of a vector must not leave."""
    width = field.high - field.low
    if not math.isfinite(width):
        return -LARGEST_NUMBER, LARGEST_NUMBER
    slack = SLACK * max(width, 1.0)
    return max(field.low - slack, -LARGEST_NUMBER), min(field.high + slack, LARGEST_NUMBER)

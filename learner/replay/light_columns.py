"""The light columns of one log in memory: everything about its records that replay looks at between two samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from steadyhand.learner.replay.columns import Column
from steadyhand.transport.label_log import Label

__all__ = ["LightColumns"]

DTYPES: dict[str, DTypeLike] = {
    "seq": np.int64,
    "episode_id": np.int64,
    "reward": np.float32,
    "terminated": np.bool_,
    "start": np.bool_,
    "online": np.bool_,
    "demo": np.bool_,
    "practised": np.bool_,
    "failed": np.bool_,  # by a label, or in an online log of another run also by the records themselves
    "lost": np.bool_,  # not saved: of records of an earlier start it is not known
}
FLAGS = ("start", "online", "demo", "terminated", "practised")  # bits of one byte in a snapshot


class LightColumns:
    """Columns by name, one value a row, as the records and the labels give them.

    The flag `start` links the records of an episode: row r + 1 follows row r in one episode exactly if r is a start.

    Attributes:
        steps: Number of TRAIN steps, the environment transitions that the utd_ratio counts.
        online_starts: Number of starts of the policy's episodes.
        demo_starts: Number of starts with a person's action.
    """

    def __init__(self) -> None:
        self._columns = {name: Column(dtype) for name, dtype in DTYPES.items()}
        self.steps = 0
        self.online_starts = 0
        self.demo_starts = 0

    def __len__(self) -> int:
        return len(self._columns["seq"])

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a view (n,) of a column; the next `append` may leave it behind."""
        return self._columns[name].values

    def append(self, starts: NDArray[np.bool_], rest: Mapping[str, NDArray[Any]]) -> None:
        """Append k rows.

        Args:
            starts: Column `start` of the last row so far, if there is one, and of the new rows.
            rest: The other columns of the new rows, (k,) each.
        """
        loaded = len(self)
        if loaded:
            self["start"][-1] = starts[0]
            starts = starts[1:]
        self._extend({"start": starts, **rest})
        self.steps += int(np.count_nonzero(self["practised"][loaded:]))
        first = max(loaded - 1, 0)
        decided = first + np.flatnonzero(self["start"][first:])
        self.online_starts += int(np.count_nonzero(self["online"][decided]))
        self.demo_starts += int(np.count_nonzero(self["demo"][decided]))

    def _extend(self, values: Mapping[str, NDArray[Any]]) -> None:
        for name, added in values.items():
            self._columns[name].extend(added)

    def replace(self, rows: NDArray[np.int64], values: Mapping[str, NDArray[Any]]) -> None:
        """Put other values (n,) into some columns of rows (n,); `count` has to follow."""
        for name, changed in values.items():
            self[name][rows] = changed

    def count(self) -> None:
        """Count steps and starts anew."""
        self.steps = int(np.count_nonzero(self["practised"]))
        self.online_starts = int(np.count_nonzero(self["start"] & self["online"]))
        self.demo_starts = int(np.count_nonzero(self["start"] & self["demo"]))

    def apply(self, label: Label, from_row: int) -> None:
        """Apply a label to its rows from `from_row` on."""
        rows = self._rows_of(label, from_row)
        places = self["seq"][rows] - label.first_seq
        if label.rewards is not None:
            self["reward"][rows] = np.asarray(label.rewards, np.float32)[places]
        if label.terminated is not None:
            self["terminated"][rows] = np.asarray(label.terminated, np.bool_)[places]
        self._mark_failed(label, rows)

    def _mark_failed(self, label: Label, rows: NDArray[np.int64]) -> None:
        if label.success is not None:
            self["failed"][rows] = not label.success

    def _rows_of(self, label: Label, from_row: int) -> NDArray[np.int64]:
        lo, hi = np.searchsorted(self["seq"], (label.first_seq, label.end_seq))
        return np.arange(max(int(lo), from_row), int(hi))

    def save(self, rows: int) -> dict[str, NDArray[Any]]:
        """Return the first rows, as they are sampled from now."""
        flags = np.zeros(rows, np.uint8)
        for bit, name in enumerate(FLAGS):
            flags |= self[name][:rows].astype(np.uint8) << bit
        return {name: self[name][:rows].copy() for name in ("seq", "episode_id", "reward")} | {"flags": flags}

    def load(self, saved: Mapping[str, NDArray[Any]], failed: NDArray[np.bool_], labels: list[Label]) -> None:
        """Take the rows that `save` returned, before any other call. The last one is no start before its successor.

        Args:
            saved: The result of `save`, of n rows.
            failed: Column `failed` as the records alone give it, (n,).
            labels: The labels that were applied to the rows.
        """
        flags = {name: (saved["flags"] >> bit & 1).astype(np.bool_) for bit, name in enumerate(FLAGS)}
        flags["start"][-1:] = False
        kept = {name: saved[name] for name in ("seq", "episode_id", "reward")}
        self._extend({**kept, **flags, "failed": failed, "lost": np.zeros(len(failed), np.bool_)})
        for label in labels:
            self._mark_failed(label, self._rows_of(label, 0))
        self.count()

    def n_step(
        self, rows: NDArray[np.int64], n_step: int, gamma: float, visible: int, takeover_value: float = 1.0
    ) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
        """Sum rewards over up to `n_step` steps from starts.

        The sum ends with the episode, and at the newest visible record; a time-out is an end that bootstraps. Below a
        `takeover_value` of 1 it also ends where a person takes over from the policy.

        Args:
            rows: Starts (n,).
            n_step: Largest number of steps to sum.
            gamma: Discount of one step.
            visible: Number of visible rows.
            takeover_value: Share of the value that is kept at such an end.

        Returns:
            (n,) rows of the next observation, k <= n_step steps later; (n,) rewards summed with their discount;
            (n,) discount gamma^k (1 - terminated), times `takeover_value` where a person takes over.
        """
        start, reward, terminated = self["start"], self["reward"], self["terminated"]
        reached = rows + 1
        total = reward[rows].astype(np.float64)
        discount = np.full(len(rows), gamma)
        demo, alone = self["demo"], ~self["demo"][rows] & (takeover_value < 1.0)
        for _ in range(1, n_step):
            inside = np.minimum(reached, visible - 1)
            goes_on = (reached < visible - 1) & start[inside] & ~terminated[reached - 1] & ~(alone & demo[inside])
            total += np.where(goes_on, discount * reward[inside], 0.0)
            discount = np.where(goes_on, discount * gamma, discount)
            if not goes_on.any():
                break
            reached = np.where(goes_on, reached + 1, reached)
        discount = np.where(alone & demo[reached], takeover_value * discount, discount)
        discount = np.where(terminated[reached - 1], 0.0, discount)
        return reached, total.astype(np.float32), discount.astype(np.float32)

    def history(self, rows: NDArray[np.int64], obs_horizon: int) -> NDArray[np.int64]:
        """Rows (n, H) of the observations up to and including `rows` (n,), the newest last.

        The first observation of an episode is repeated in the places before it.
        """
        start = self["start"]
        out = np.empty((len(rows), obs_horizon), np.int64)
        out[:, -1] = rows
        for column in range(obs_horizon - 2, -1, -1):
            row = out[:, column + 1]
            out[:, column] = row - ((row > 0) & start[row - 1])
        return out

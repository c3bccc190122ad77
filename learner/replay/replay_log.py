"""One log of the replay: its light columns in memory, and the number of its visible records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.learner.replay.columns import Column
from steadyhand.learner.replay.soundness import Soundness
from steadyhand.transport.label_log import Label, LabelReader
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.record import Kind, Phase, valid_starts

__all__ = ["BEYOND", "ReplayLog", "SnapshotError"]

START_COLUMNS = ("seq", "episode_id", "step_index", "kind", "valid")
FLAGS = ("start", "online", "demo", "terminated", "practised")  # bits of one byte in a snapshot


BEYOND = 1.001  # of an action after conversion; rounding is not beyond


class SnapshotError(ValueError):
    """A log that is not the one whose columns were saved."""


class ReplayLog:
    """Columns of every record loaded, of which the first `visible` may be sampled.

    A start is a valid step whose valid successor is the next record. The same flag links the
    records of an episode: row r + 1 follows row r in one episode exactly if r is a start.
    """

    def __init__(
        self,
        reader: LogReader,
        saved: Mapping[str, NDArray[Any]] | None = None,
        action_gain: NDArray[np.float32] | None = None,
        prior: bool = False,
    ) -> None:
        """Take the columns that `save` returned and read only newer records, or read all of them.

        Args:
            reader: Reader of the log.
            saved: The result of `save`.
            action_gain: Factor (A,) that converts an action to the present action scales. A step whose converted action
                is beyond [-1, 1] is no start, as no present action has its effect.
            prior: Whether this is an online log of another run. It counts no environment transition here, an episode
                counts when it is complete, and failed episodes are not imitated.

        Raises:
            SnapshotError: The log lacks the records that were saved.
            LabelError: The label log is damaged.
        """
        self.reader = reader
        self._action_gain, self.is_prior = action_gain, prior
        self.soundness = Soundness(reader)
        self.visible = 0
        self.label_version = 0  # labels up to this one are applied
        self._label_reader = LabelReader(reader.folder, reader.session_id)
        self._labels = self._label_reader.refresh()
        # Of everything loaded, visible or not:
        self.steps = 0  # TRAIN steps, the environment transitions that the utd_ratio counts
        self.online_starts = 0
        self.demo_starts = 0
        self._seq, self._episode_id = Column(np.int64), Column(np.int64)
        self._reward, self._terminated = Column(np.float32), Column(np.bool_)
        self._start, self._online, self._demo = Column(np.bool_), Column(np.bool_), Column(np.bool_)
        # failed: by a label, or in an online log of another run also by the records themselves
        self._practised, self._failed = Column(np.bool_), Column(np.bool_)
        self._lost = Column(np.bool_)  # not saved: of records of an earlier start it is not known
        if saved is not None:
            self._load(saved)
        self._read_columns(self._complete(len(reader)))

    @property
    def session_id(self) -> str:
        """The session that recorded the log."""
        return self.reader.session_id

    @property
    def quarantined(self) -> int:
        """Records that are loaded and left out because they are lost, damaged or unfit."""
        return int(np.count_nonzero(self._lost.values)) + self.soundness.unfit

    @property
    def next_seq(self) -> int:
        """The number after the newest record loaded."""
        return int(self._seq.values[-1]) + 1 if len(self._seq) else 0

    @property
    def next_label(self) -> int:
        """Number of the newest label, applied or not; 0 without any."""
        return len(self._labels)

    def refresh(self) -> None:
        """Load the columns of new records, and their labels: no label concerns a record that is not loaded yet."""
        self._labels += self._label_reader.refresh()
        total = self._complete(self.reader.refresh())
        if total > len(self._seq):
            self._read_columns(total)

    def _complete(self, total: int) -> int:
        """Return how many of the first `total` records count: of another run, those of episodes that have ended."""
        if not self.is_prior:
            return total
        loaded = len(self._seq)
        finals = np.flatnonzero(self.reader.gather(np.arange(loaded, total), "kind") == Kind.FINAL)
        return loaded + int(finals[-1]) + 1 if len(finals) else loaded

    def _read_columns(self, total: int) -> None:
        loaded = len(self._seq)
        # The last row's successor was unknown, so whether it is a start is decided now: read it again.
        rows = np.arange(max(loaded - 1, 0), total)
        if not rows.size:
            return
        starts = self._starts_of(rows)
        if loaded:
            self._start.values[-1] = starts[0]
        new = slice(1 if loaded else 0, None)
        self._start.extend(starts[new])
        for column, values in self._light(rows[new]):
            column.extend(values)
        self._failed.extend(self._recorded_failures(rows[new]))
        for label in self._labels[: self.label_version]:
            self._apply(label, loaded)
        self.steps += int(np.count_nonzero(self._practised.values[rows[new]]))
        decided = rows[self._start.values[rows]]
        self.online_starts += int(np.count_nonzero(self._online.values[decided]))
        self.demo_starts += int(np.count_nonzero(self._demo.values[decided]))

    def _starts_of(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of some rows (n,) in order are starts; of the last one it is not known yet."""
        bad = self.soundness.bad(rows)  # first: of a damaged record the reader then returns no column as it is
        columns = {name: self.reader.gather(rows, name) for name in START_COLUMNS}
        columns["valid"] &= ~bad
        return valid_starts(columns)

    def _light(self, rows: NDArray[np.int64]) -> list[tuple[Column, NDArray[Any]]]:
        """Return the columns that follow from the records of rows (n,) alone."""
        bad = self.soundness.bad(rows)
        names = ("seq", "episode_id", "kind", "phase", "has_human", "terminated", "reward")
        seq, episode_id, kind, phase, human, terminated, reward = (self.reader.gather(rows, name) for name in names)
        train, doable = phase == Phase.TRAIN, self._is_doable(rows)
        # A lost record was a step too, or nearly always: an actor in lockstep has counted it.
        practised = train & (kind != Kind.FINAL) & (not self.is_prior)
        demo = ((phase == Phase.DEMO) | (train & human)) & doable
        return [
            (self._seq, seq),
            (self._episode_id, episode_id),
            (self._practised, practised),
            (self._online, train & doable),
            (self._demo, demo),
            (self._terminated, terminated),
            (self._reward, np.where(bad, 0.0, reward)),
            (self._lost, (kind == Kind.LOST) & ~bad),
        ]

    def recheck(self, rows: NDArray[np.int64], again: bool = True) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Look at records that were found damaged, or were repaired; return the starts that are gone and the new ones.

        Args:
            rows: Their rows, loaded or not.
            again: Whether to read their checksums again.
        """
        loaded = len(self._seq)
        rows = np.unique(rows[rows < loaded])
        self.soundness.bad(rows, again)
        for column, values in self._light(rows):
            column.values[rows] = values
        for label in self._labels[: self.label_version] if rows.size else ():
            self._apply(label, int(rows[0]))
        around = np.unique(np.concatenate([rows, rows - 1]))
        around = around[(around >= 0) & (around < loaded - 1)]
        before = self._start.values[around]
        for row in around.tolist():
            self._start.values[row] = self._starts_of(np.arange(row, row + 2))[0]
        after, shown = self._start.values[around], around < self.visible - 1
        self._count()
        return around[before & ~after], around[after & ~before & shown]

    def _count(self) -> None:
        start = self._start.values
        self.steps = int(np.count_nonzero(self._practised.values))
        self.online_starts = int(np.count_nonzero(start & self._online.values))
        self.demo_starts = int(np.count_nonzero(start & self._demo.values))

    def unfit(self, rows: NDArray[np.int64], n_step: int, gamma: float, obs_horizon: int) -> NDArray[np.int64]:
        """Check the records that the transitions of starts (n,) read; return the rows (m,) that must not be used."""
        if not self.soundness.unknown:  # every record was checked when its columns were read
            return np.empty(0, np.int64)
        reached = self.n_step(rows, n_step, gamma)[0]
        read = np.concatenate([self.history(rows, obs_horizon), self.history(reached, obs_horizon)], axis=1)
        bad = self.soundness.bad(read.reshape(-1)).reshape(read.shape)
        return np.unique(read[bad])

    def _recorded_failures(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return a mask (n,) of rows of failed episodes; the rows are whole episodes of another run's online log."""
        if not self.is_prior:
            return np.zeros(len(rows), np.bool_)
        columns = {name: self.reader.gather(rows, name) for name in ("episode_id", "success", "phase")}
        succeeded = np.isin(columns["episode_id"], columns["episode_id"][columns["success"]])
        return np.asarray(~succeeded & (columns["phase"] != Phase.DEMO))

    def advance(self, next_seq: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Make the records before `next_seq` visible; returns the rows of the new online and demo starts.

        An intervention is a start of both kinds. Nothing recorded for an evaluation is ever a start.
        """
        before, after = self.visible, int(np.searchsorted(self._seq.values, next_seq))
        if after <= before:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        self.visible = after
        # A start needs a visible successor, so the last visible row is left for the next time.
        rows = np.arange(max(before - 1, 0), after - 1)
        return self.kinds(rows[self._start.values[rows]])

    def kinds(self, starts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return which rows of starts (n,) are online starts, and which are demo starts."""
        return starts[self._online.values[starts]], starts[self._demo.values[starts]]

    def show_labels(self, version: int) -> None:
        """Apply the labels up to `version` in order."""
        for label in self._labels[self.label_version : version]:
            self._apply(label, 0)
        self.label_version = max(self.label_version, version)

    def _apply(self, label: Label, from_row: int) -> None:
        rows = self._rows_of(label, from_row)
        places = self._seq.values[rows] - label.first_seq
        if label.rewards is not None:
            self._reward.values[rows] = np.asarray(label.rewards, np.float32)[places]
        if label.terminated is not None:
            self._terminated.values[rows] = np.asarray(label.terminated, np.bool_)[places]
        self._mark_failed(label, rows)

    def _mark_failed(self, label: Label, rows: NDArray[np.int64]) -> None:
        if label.success is not None:
            self._failed.values[rows] = not label.success

    def _rows_of(self, label: Label, from_row: int) -> NDArray[np.int64]:
        lo, hi = np.searchsorted(self._seq.values, (label.first_seq, label.end_seq))
        return np.arange(max(int(lo), from_row), int(hi))

    def save(self) -> dict[str, NDArray[Any]]:
        """Return the columns of the visible records, as they are sampled from now."""
        shown = slice(self.visible)
        flags = np.zeros(self.visible, np.uint8)
        for bit, column in enumerate((self._start, self._online, self._demo, self._terminated, self._practised)):
            flags |= column.values[shown].astype(np.uint8) << bit
        return {
            "seq": self._seq.values[shown].copy(),
            "episode_id": self._episode_id.values[shown].copy(),
            "reward": self._reward.values[shown].copy(),
            "flags": flags,
            "label_version": np.array([self.label_version], np.int64),
        }

    def _load(self, saved: Mapping[str, NDArray[Any]]) -> None:
        seq, self.label_version = saved["seq"], int(saved["label_version"][0])
        self.visible = len(seq)
        self.soundness.assume(len(seq))
        flags = {name: (saved["flags"] >> bit & 1).astype(np.bool_) for bit, name in enumerate(FLAGS)}
        rows = self.reader.locate(int(seq[-1]) + 1)[0] if len(seq) else 0
        if self.label_version > len(self._labels) or rows != len(seq) or (rows and self.reader.first_seq != seq[0]):
            raise SnapshotError(
                f"{self.reader.folder}: it lacks records or labels that training has seen; restore it or start anew"
            )
        if len(seq):
            flags["start"][-1] = False  # decided again with its successor
        for column, values in (
            (self._seq, seq),
            (self._episode_id, saved["episode_id"]),
            (self._reward, saved["reward"]),
            (self._start, flags["start"]),
            (self._online, flags["online"]),
            (self._demo, flags["demo"]),
            (self._terminated, flags["terminated"]),
            (self._practised, flags["practised"]),
            (self._failed, self._recorded_failures(np.arange(len(seq)))),
            (self._lost, np.zeros(len(seq), np.bool_)),
        ):
            column.extend(values)
        for label in self._labels[: self.label_version]:
            self._mark_failed(label, self._rows_of(label, 0))
        self.steps = int(np.count_nonzero(flags["practised"]))
        self.online_starts = int(np.count_nonzero(flags["start"] & flags["online"]))
        self.demo_starts = int(np.count_nonzero(flags["start"] & flags["demo"]))

    def is_demo(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return a mask (n,) of rows with an action to imitate: a person's, or a demonstration's without a failure.

        In an online log of another run: a person's action in an episode that did not fail.
        """
        own = self._online.values[rows] & (not self.is_prior)
        return np.asarray(self._demo.values[rows] & (own | ~self._failed.values[rows]))

    def is_practice(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return a mask (n,) of rows of the policy's episodes, in which a person may have corrected it."""
        return np.asarray(self._online.values[rows])

    def seq(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of records, (n,)."""
        return np.asarray(self._seq.values[rows])

    def episode_id(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The episodes of rows, (n,)."""
        return np.asarray(self._episode_id.values[rows])

    def n_step(
        self, rows: NDArray[np.int64], n_step: int, gamma: float
    ) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
        """Sum rewards over up to `n_step` steps from starts.

        The sum ends with the episode, and at the newest visible record; a time-out is an end that bootstraps.

        Args:
            rows: Starts (n,).
            n_step: Largest number of steps to sum.
            gamma: Discount of one step.

        Returns:
            (n,) rows of the next observation, k <= n_step steps later; (n,) rewards summed with their discount;
            (n,) discount gamma^k (1 - terminated).
        """
        start, reward, terminated = self._start.values, self._reward.values, self._terminated.values
        reached = rows + 1
        total = reward[rows].astype(np.float64)
        discount = np.full(len(rows), gamma)
        for _ in range(1, n_step):
            inside = np.minimum(reached, self.visible - 1)
            goes_on = (reached < self.visible - 1) & start[inside] & ~terminated[reached - 1]
            total += np.where(goes_on, discount * reward[inside], 0.0)
            discount = np.where(goes_on, discount * gamma, discount)
            if not goes_on.any():
                break
            reached = np.where(goes_on, reached + 1, reached)
        discount = np.where(terminated[reached - 1], 0.0, discount)
        return reached, total.astype(np.float32), discount.astype(np.float32)

    def history(self, rows: NDArray[np.int64], obs_horizon: int) -> NDArray[np.int64]:
        """Rows (n, H) of the observations up to and including `rows` (n,), the newest last.

        The first observation of an episode is repeated in the places before it.
        """
        out = np.empty((len(rows), obs_horizon), np.int64)
        out[:, -1] = rows
        for column in range(obs_horizon - 2, -1, -1):
            row = out[:, column + 1]
            out[:, column] = row - ((row > 0) & self._start.values[row - 1])
        return out

    def action(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return actions (n, A) in [-1, 1], in the present action scales."""
        action: NDArray[np.float32] = self.reader.gather(rows, "action")
        if self._action_gain is not None:
            action = np.clip(action * self._action_gain, -1.0, 1.0, dtype=np.float32)
        return action

    def _is_doable(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        if self._action_gain is None:
            return np.ones(len(rows), np.bool_)
        return np.asarray((np.abs(self.reader.gather(rows, "action") * self._action_gain) <= BEYOND).all(axis=1))

    def gather(self, rows: NDArray[np.int64], field: str) -> NDArray[Any]:
        """Copy one field of records (n, ...) from the log."""
        return self.reader.gather(rows, field)

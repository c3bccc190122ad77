"""One log of the replay: its records as light columns, and the number of those that may be sampled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.learner.replay.light_columns import LightColumns
from steadyhand.learner.replay.soundness import Soundness
from steadyhand.transport.label_log import LabelReader
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.record import Kind, Phase, valid_starts

__all__ = ["BEYOND", "ReplayLog", "SnapshotError"]

START_COLUMNS = ("seq", "episode_id", "step_index", "kind", "valid")
BEYOND = 1.001  # of an action after conversion; rounding is not beyond


class SnapshotError(ValueError):
    """A log that is not the one whose columns were saved."""


class ReplayLog:
    """Columns of every record loaded, of which the first `visible` may be sampled.

    A start is a valid step whose valid successor is the next record.
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
        self._columns = LightColumns()  # of everything loaded, visible or not
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
        return int(np.count_nonzero(self._columns["lost"])) + self.soundness.unfit

    @property
    def steps(self) -> int:
        """Number of TRAIN steps loaded, the environment transitions that the utd_ratio counts."""
        return self._columns.steps

    @property
    def online_starts(self) -> int:
        """Number of online starts loaded."""
        return self._columns.online_starts

    @property
    def demo_starts(self) -> int:
        """Number of demo starts loaded."""
        return self._columns.demo_starts

    @property
    def next_seq(self) -> int:
        """The number after the newest record loaded."""
        return int(self._columns["seq"][-1]) + 1 if len(self._columns) else 0

    @property
    def next_label(self) -> int:
        """Number of the newest label, applied or not; 0 without any."""
        return len(self._labels)

    def refresh(self) -> None:
        """Load the columns of new records, and their labels: no label concerns a record that is not loaded yet."""
        self._labels += self._label_reader.refresh()
        total = self._complete(self.reader.refresh())
        if total > len(self._columns):
            self._read_columns(total)

    def _complete(self, total: int) -> int:
        """Return how many of the first `total` records count: of another run, those of episodes that have ended."""
        if not self.is_prior:
            return total
        loaded = len(self._columns)
        finals = np.flatnonzero(self.reader.gather(np.arange(loaded, total), "kind") == Kind.FINAL)
        return loaded + int(finals[-1]) + 1 if len(finals) else loaded

    def _read_columns(self, total: int) -> None:
        loaded = len(self._columns)
        # The last row's successor was unknown, so whether it is a start is decided now: read it again.
        rows = np.arange(max(loaded - 1, 0), total)
        if not rows.size:
            return
        starts, new = self._starts_of(rows), rows[1 if loaded else 0 :]
        self._columns.append(starts, self._light(new) | {"failed": self._recorded_failures(new)})
        for label in self._labels[: self.label_version]:
            self._columns.apply(label, loaded)

    def _starts_of(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of some rows (n,) in order are starts; of the last one it is not known yet."""
        bad = self.soundness.bad(rows)  # first: of a damaged record the reader then returns no column as it is
        columns = {name: self.reader.gather(rows, name) for name in START_COLUMNS}
        columns["valid"] &= ~bad
        return valid_starts(columns)

    def _light(self, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Return the columns that follow from the records of rows (n,) alone."""
        bad = self.soundness.bad(rows)
        names = ("seq", "episode_id", "kind", "phase", "has_human", "terminated", "reward")
        seq, episode_id, kind, phase, human, terminated, reward = (self.reader.gather(rows, name) for name in names)
        train, doable = phase == Phase.TRAIN, self._is_doable(rows)
        # A lost record was a step too, or nearly always: an actor in lockstep has counted it.
        practised = train & (kind != Kind.FINAL) & (not self.is_prior)
        demo = ((phase == Phase.DEMO) | (train & human)) & doable
        return {
            "seq": seq,
            "episode_id": episode_id,
            "practised": practised,
            "online": train & doable,
            "demo": demo,
            "terminated": terminated,
            "reward": np.where(bad, 0.0, reward),
            "lost": (kind == Kind.LOST) & ~bad,
        }

    def recheck(self, rows: NDArray[np.int64], again: bool = True) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Look at records that were found damaged, or were repaired; return the starts that are gone and the new ones.

        Args:
            rows: Their rows, loaded or not.
            again: Whether to read their checksums again.
        """
        loaded = len(self._columns)
        rows = np.unique(rows[rows < loaded])
        self.soundness.bad(rows, again)
        self._columns.replace(rows, self._light(rows))
        for label in self._labels[: self.label_version] if rows.size else ():
            self._columns.apply(label, int(rows[0]))
        around = np.unique(np.concatenate([rows, rows - 1]))
        around = around[(around >= 0) & (around < loaded - 1)]
        start = self._columns["start"]
        before = start[around]
        for row in around.tolist():
            start[row] = self._starts_of(np.arange(row, row + 2))[0]
        after, shown = start[around], around < self.visible - 1
        self._columns.count()
        return around[before & ~after], around[after & ~before & shown]

    def unfit(
        self, rows: NDArray[np.int64], n_step: int, gamma: float, obs_horizon: int, takeover_value: float = 1.0
    ) -> NDArray[np.int64]:
        """Check the records that the transitions of starts (n,) read; return the rows (m,) that must not be used."""
        if not self.soundness.unknown:  # every record was checked when its columns were read
            return np.empty(0, np.int64)
        reached = self.n_step(rows, n_step, gamma, takeover_value)[0]
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
        before, after = self.visible, int(np.searchsorted(self._columns["seq"], next_seq))
        if after <= before:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        self.visible = after
        # A start needs a visible successor, so the last visible row is left for the next time.
        rows = np.arange(max(before - 1, 0), after - 1)
        return self.kinds(rows[self._columns["start"][rows]])

    def kinds(self, starts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return which rows of starts (n,) are online starts, and which are demo starts."""
        return starts[self._columns["online"][starts]], starts[self._columns["demo"][starts]]

    def show_labels(self, version: int) -> None:
        """Apply the labels up to `version` in order."""
        for label in self._labels[self.label_version : version]:
            self._columns.apply(label, 0)
        self.label_version = max(self.label_version, version)

    def save(self) -> dict[str, NDArray[Any]]:
        """Return the columns of the visible records, as they are sampled from now."""
        return self._columns.save(self.visible) | {"label_version": np.array([self.label_version], np.int64)}

    def _load(self, saved: Mapping[str, NDArray[Any]]) -> None:
        seq, self.label_version = saved["seq"], int(saved["label_version"][0])
        self.visible = len(seq)
        self.soundness.assume(len(seq))
        rows = self.reader.locate(int(seq[-1]) + 1)[0] if len(seq) else 0
        if self.label_version > len(self._labels) or rows != len(seq) or (rows and self.reader.first_seq != seq[0]):
            raise SnapshotError(
                f"{self.reader.folder}: it lacks records or labels that training has seen; restore it or start anew"
            )
        failed = self._recorded_failures(np.arange(len(seq)))
        self._columns.load(saved, failed, self._labels[: self.label_version])

    def is_demo(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return a mask (n,) of rows with an action to imitate: a person's, or a demonstration's without a failure.

        In an online log of another run: a person's action in an episode that did not fail.
        """
        own = self._columns["online"][rows] & (not self.is_prior)
        return np.asarray(self._columns["demo"][rows] & (own | ~self._columns["failed"][rows]))

    def is_practice(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return a mask (n,) of rows of the policy's episodes, in which a person may have corrected it."""
        return np.asarray(self._columns["online"][rows])

    def seq(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of records, (n,)."""
        return np.asarray(self._columns["seq"][rows])

    def episode_id(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The episodes of rows, (n,)."""
        return np.asarray(self._columns["episode_id"][rows])

    def n_step(
        self, rows: NDArray[np.int64], n_step: int, gamma: float, takeover_value: float = 1.0
    ) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
        """See `LightColumns.n_step`; the sum ends at the newest visible record."""
        return self._columns.n_step(rows, n_step, gamma, self.visible, takeover_value)

    def history(self, rows: NDArray[np.int64], obs_horizon: int) -> NDArray[np.int64]:
        """See `LightColumns.history`."""
        return self._columns.history(rows, obs_horizon)

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

"""One log as replay sees it: its light columns in memory, and how far it is visible."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.replay.columns import Column
from transport.log_reader import LogReader
from transport.record import Kind, Phase, valid_starts

__all__ = ["ReplayLog"]

START_COLUMNS = ("seq", "episode_id", "step_index", "kind", "valid")


class ReplayLog:
    """Columns of every record loaded, of which the first `visible` may be sampled.

    A start is a valid step whose valid successor is the next record. That one flag also says which records hang
    together: row r + 1 follows row r in one episode exactly if r is a start.
    """

    def __init__(self, reader: LogReader) -> None:
        self.reader = reader
        self.visible = 0
        # Of everything loaded, visible or not:
        self.steps = 0  # TRAIN steps, the environment transitions that the utd_ratio counts
        self.online_starts = 0
        self.demo_starts = 0
        self._seq, self._episode_id = Column(np.int64), Column(np.int64)
        self._reward, self._terminated = Column(np.float32), Column(np.bool_)
        self._start, self._online, self._demo = Column(np.bool_), Column(np.bool_), Column(np.bool_)
        self._read_columns(len(reader))

    @property
    def session_id(self) -> str:
        """The session that recorded the log."""
        return self.reader.session_id

    @property
    def next_seq(self) -> int:
        """The number after the newest record loaded."""
        return int(self._seq.values[-1]) + 1 if len(self._seq) else 0

    def refresh(self) -> None:
        """Load the columns of what has been appended since."""
        total = self.reader.refresh()
        if total > len(self._seq):
            self._read_columns(total)

    def _read_columns(self, total: int) -> None:
        loaded = len(self._seq)
        # The last row's successor was unknown, so whether it is a start is decided now: read it again.
        rows = np.arange(max(loaded - 1, 0), total)
        if not rows.size:
            return
        columns = {name: self.reader.gather(rows, name) for name in START_COLUMNS}
        starts = valid_starts(columns)
        if loaded:
            self._start.values[-1] = starts[0]
        new = slice(1 if loaded else 0, None)
        phase, human, terminated, reward = (
            self.reader.gather(rows[new], name) for name in ("phase", "has_human", "terminated", "reward")
        )
        train = phase == Phase.TRAIN
        self._start.extend(starts[new])
        self._seq.extend(columns["seq"][new])
        self._episode_id.extend(columns["episode_id"][new])
        self.steps += int(np.count_nonzero(train & (columns["kind"][new] == Kind.STEP)))
        self._online.extend(train)
        self._demo.extend((phase == Phase.DEMO) | (train & human))
        self._terminated.extend(terminated)
        self._reward.extend(reward)
        decided = rows[self._start.values[rows]]
        self.online_starts += int(np.count_nonzero(self._online.values[decided]))
        self.demo_starts += int(np.count_nonzero(self._demo.values[decided]))

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
        rows = rows[self._start.values[rows]]
        return rows[self._online.values[rows]], rows[self._demo.values[rows]]

    def is_demo(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which rows hold a demonstrated or human action, (n,)."""
        return np.asarray(self._demo.values[rows])

    def episode_id(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The episodes of rows, (n,)."""
        return np.asarray(self._episode_id.values[rows])

    def n_step(
        self, rows: NDArray[np.int64], n_step: int, gamma: float
    ) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
        """Sum rewards over up to `n_step` steps from starts.

        The sum ends with the episode, and at the newest visible record; a time-out is an end that bootstraps.

        Args:
            rows: (n,) starts.
            n_step: steps to sum at most.
            gamma: discount of one step.

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

        Before the first observation of an episode there is none: the first one is repeated.
        """
        out = np.empty((len(rows), obs_horizon), np.int64)
        out[:, -1] = rows
        for column in range(obs_horizon - 2, -1, -1):
            row = out[:, column + 1]
            out[:, column] = row - ((row > 0) & self._start.values[row - 1])
        return out

    def gather(self, rows: NDArray[np.int64], field: str) -> NDArray[Any]:
        """Copy one field of records (n, ...) from the log."""
        return self.reader.gather(rows, field)

"""Check of a log's records before their first use in this process: damaged and unfit ones are not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from steadyhand.runtime.logging import get_logger
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.record_check import RecordCheck
from steadyhand.transport.recovery import number_text

__all__ = ["Soundness", "fit_rows"]

UNKNOWN, FIT, UNFIT = 0, 1, 2

logger = get_logger("learner.soundness")


class Soundness:
    """The state of every record of one log: not checked yet, fit, or not to be used.

    Args:
        reader: Reader of the log.
    """

    def __init__(self, reader: LogReader) -> None:
        self._reader, self._check = reader, RecordCheck(reader.schema)
        self._state = np.zeros(0, np.uint8)
        self._assumed = self.unknown = 0  # records that were taken over, and those that were not checked since

    @property
    def unfit(self) -> int:
        """Number of records that are known to be damaged or unfit."""
        return int(np.count_nonzero(self._state == UNFIT))

    def assume(self, rows: int) -> None:
        """Take over the first records without a check; each is checked at its first use."""
        self._grow(rows)
        self._assumed = self.unknown = rows

    def bad(self, rows: ArrayLike, again: bool = False) -> NDArray[np.bool_]:
        """Return a mask (n,) of rows that must not be used; check those that were not checked, or all `again`."""
        rows = np.asarray(rows, np.int64)
        if rows.size:
            self._grow(int(rows.max()) + 1)
            todo = np.unique(rows if again else rows[self._state[rows] == UNKNOWN])
            if todo.size:
                self._look(todo)
        return np.asarray(self._state[rows] == UNFIT)

    def _grow(self, count: int) -> None:
        if count > len(self._state):
            room = np.zeros(max(count, 2 * len(self._state)), np.uint8)
            room[: len(self._state)] = self._state
            self._state = room

    def _look(self, todo: NDArray[np.int64]) -> None:
        reader, before = self._reader, self._state[todo] == UNFIT
        self.unknown -= int(np.count_nonzero((todo < self._assumed) & (self._state[todo] == UNKNOWN)))
        unfit = ~fit_rows(reader, self._check, todo, again=bool(np.any(self._state[todo] != UNKNOWN)))
        self._state[todo] = np.where(unfit, UNFIT, FIT)
        if (new := unfit & ~before).any():
            numbers = [reader.seq_at(row) for row in todo[new].tolist()]
            where = f"session {reader.session_id}, seq {number_text(numbers)}, {reader.place(int(todo[new][0]))}"
            logger.error("%s: %s: damaged or unfit; not trained on", reader.folder, where)


def fit_rows(reader: LogReader, check: RecordCheck, rows: NDArray[np.int64], again: bool = False) -> NDArray[np.bool_]:
    """Return a mask (n,) of rows whose checksums are right and whose numbers are possible."""
    fit = reader.verify(rows, again)
    if not fit.all():  # it may have been repaired since it was found damaged
        fit[~fit] = reader.verify(rows[~fit], again=True)
    for index in check.faults(_Columns(reader, rows), stored=True):
        fit[index] = False
    return fit


@dataclass(frozen=True)
class _Columns:
    """The columns of rows (n,) of a log."""

    reader: LogReader
    rows: NDArray[np.int64]

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.reader.gather(self.rows, name)

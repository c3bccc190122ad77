"""The light columns of a log with its labels applied; the newest label of a record counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steadyhand.transport.label_log import LabelReader, is_of_person
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.record import Kind

__all__ = ["UNMARKED", "EpisodeRows", "LabelledColumns", "labelled_columns"]

UNMARKED = -2  # the stage of an observation without a mark


@dataclass(frozen=True)
class EpisodeRows:
    """The rows of one episode in its log.

    Attributes:
        episode_id: Its number.
        steps: Rows of its steps, (T,).
        seen: Rows of its observations, (T + 1,), or (T,) where a crash has cut off the last one. Step `t` leads from
            `seen[t]` to `seen[t + 1]`.
    """

    episode_id: int
    steps: NDArray[np.int64]
    seen: NDArray[np.int64]


@dataclass(frozen=True)
class LabelledColumns:
    """Columns (n,) of a log by row. `reward`, `terminated` and `success` are as labels have corrected them.

    `stage` is the number of the task's stages that an observation shows as done; `UNMARKED` without a mark.
    """

    seq: NDArray[np.int64]
    episode_id: NDArray[np.int64]
    kind: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    reward: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    success: NDArray[np.bool_]
    stage: NDArray[np.int16]
    labels: int  # how many there are
    by_person: NDArray[np.bool_]  # whether the newest verdict on the episode is a person's label

    def episodes(self) -> list[EpisodeRows]:
        """Return every episode with at least one step, in the order of the log.

        Where records are lost, what is before and what is after them count as episodes of their own.
        """
        found = []
        rows_left = np.flatnonzero(self.kind != Kind.LOST)
        seq, episode_id = self.seq[rows_left], self.episode_id[rows_left]
        breaks = np.flatnonzero((np.diff(episode_id) != 0) | (np.diff(seq) != 1)) + 1
        for rows in np.split(rows_left, breaks):
            steps = rows[self.kind[rows] == Kind.STEP]
            if len(steps):
                found.append(EpisodeRows(int(self.episode_id[rows[0]]), steps, rows))
        return found


def labelled_columns(reader: LogReader) -> LabelledColumns:
    """Read the columns of a log and apply its labels.

    Raises:
        LabelError: The label log is damaged.
    """
    rows = np.arange(len(reader))
    names = ("seq", "episode_id", "kind", "valid", "reward", "terminated", "success")
    columns = {name: np.array(reader.gather(rows, name)) for name in names}
    columns |= {"stage": np.full(len(rows), UNMARKED, np.int16), "by_person": np.zeros(len(rows), np.bool_)}
    labels = LabelReader(reader.folder, reader.session_id).refresh()
    for label in labels:
        lo, hi = np.searchsorted(columns["seq"], (label.first_seq, label.end_seq))
        places = columns["seq"][lo:hi] - label.first_seq
        if label.rewards is not None:
            columns["reward"][lo:hi] = np.asarray(label.rewards, np.float32)[places]
        if label.terminated is not None:
            columns["terminated"][lo:hi] = np.asarray(label.terminated, np.bool_)[places]
        if label.stages is not None:
            columns["stage"][lo:hi] = np.asarray(label.stages, np.int16)[places]
        if label.success is not None:
            columns["success"][lo:hi] = label.success
            columns["by_person"][lo:hi] = is_of_person(label)
    return LabelledColumns(**columns, labels=len(labels))

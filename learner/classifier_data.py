"""Observations of recorded episodes for a success classifier, split by episode into trained and held out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.learner.config import ClassifierConfig
from steadyhand.learner.replay.soundness import fit_rows
from steadyhand.transport.labelled import labelled_columns
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.record import OBSERVATION
from steadyhand.transport.record_check import RecordCheck
from steadyhand.transport.schema import Schema

__all__ = ["ClassifierData", "ClassifierDataError", "read_classifier_data"]


class ClassifierDataError(ValueError):
    """Recorded episodes that no classifier can be trained from."""


@dataclass(frozen=True)
class _Episode:
    reader: int
    rows: NDArray[np.int64]  # in that reader
    positive: NDArray[np.bool_]  # which of them show success


@dataclass(frozen=True)
class ClassifierData:
    """Observations by number, in the logs that hold them.

    Attributes:
        readers: The logs.
        reader: The log of each observation (N,).
        row: Its row there (N,).
        trained: Numbers of the observations to train on, (n,).
        trained_positive: Which of them show success, (n,).
        held_out: Numbers of the observations of other episodes, to test on, (m,).
        held_out_positive: Which of them show success, (m,).
        trained_episodes: Episodes that `trained` is from.
        held_out_episodes: Episodes that `held_out` is from.
    """

    readers: Sequence[LogReader]
    reader: NDArray[np.int64]
    row: NDArray[np.int64]
    trained: NDArray[np.int64]
    trained_positive: NDArray[np.bool_]
    held_out: NDArray[np.int64]
    held_out_positive: NDArray[np.bool_]
    trained_episodes: int
    held_out_episodes: int

    @property
    def schema(self) -> Schema:
        """Return the schema of the first log; the others have the same observations."""
        return self.readers[0].schema

    def gather(self, field: str, numbers: NDArray[np.int64]) -> NDArray[Any]:
        """Copy one field of observations (n, *shape)."""
        spec = self.schema.observation_field(field)
        out = np.empty((len(numbers), *spec.shape), spec.dtype)
        which = self.reader[numbers]
        for index in np.unique(which).tolist():
            places = np.flatnonzero(which == index)
            out[places] = self.readers[index].gather(self.row[numbers[places]], OBSERVATION + field)
        return out


@contextmanager
def read_classifier_data(
    success: Sequence[Path], failure: Sequence[Path], config: ClassifierConfig, seed: int
) -> Iterator[ClassifierData]:
    """Open logs and choose observations; the logs are closed afterwards.

    Args:
        success: Demo sets or logs; their episodes that are marked as a success are taken, as labels have corrected it.
        failure: Demo sets or logs; their episodes that are not marked as a success are taken.
        config: Selects the observations that show success, and the share of held-out episodes.
        seed: Fixes the split.

    Raises:
        ClassifierDataError: A folder is missing, there are fewer than two episodes of a kind, or the observations of
            two folders differ.
        LogError: A folder holds no log.
    """
    readers: list[LogReader] = []
    try:
        wins = _episodes(success, True, config, readers)
        losses = _episodes(failure, False, config, readers)
        _check_same(readers)
        rng = np.random.default_rng(seed)
        chosen = [_split(wins, "success", success, config, rng), _split(losses, "failure", failure, config, rng)]
        trained, held_out = ([episode for split in chosen for episode in split[part]] for part in (0, 1))
        everything = [*trained, *held_out]
        reader = np.concatenate([np.full(len(one.rows), one.reader) for one in everything])
        row = np.concatenate([one.rows for one in everything])
        positive = np.concatenate([one.positive for one in everything])
        count = sum(len(one.rows) for one in trained)
        numbers = np.arange(len(row))
        yield ClassifierData(
            readers=readers,
            reader=reader,
            row=row,
            trained=numbers[:count],
            trained_positive=positive[:count],
            held_out=numbers[count:],
            held_out_positive=positive[count:],
            trained_episodes=len(trained),
            held_out_episodes=len(held_out),
        )
    finally:
        for one in readers:
            one.close()


def _episodes(
    folders: Sequence[Path], wanted: bool, config: ClassifierConfig, readers: list[LogReader]
) -> list[_Episode]:
    """Open `folders`, add them to `readers`, and return their episodes with this mark."""
    found = []
    for folder in folders:
        if not folder.is_dir():
            raise ClassifierDataError(
                f"{folder}: expected a log or a demo set, found no folder; `steadyhand record` makes demos/, and "
                "demos_failed/ with the first attempt that fails"
            )
        reader = LogReader(folder)
        readers.append(reader)
        columns, check = labelled_columns(reader), RecordCheck(reader.schema)
        for episode in columns.episodes():
            if bool(columns.success[episode.steps].any()) != wanted:
                continue
            rows = episode.seen
            positive = np.zeros(len(rows), np.bool_)
            kept = columns.valid[rows] & fit_rows(reader, check, rows)
            if wanted:
                positive[-config.positive_steps :] = True
                ambiguous = slice(-config.positive_steps - config.ambiguous_steps, -config.positive_steps)
                kept[ambiguous] = False
            if kept.any():
                found.append(_Episode(len(readers) - 1, rows[kept], positive[kept]))
    return found


def _split(
    episodes: list[_Episode], kind: str, folders: Sequence[Path], config: ClassifierConfig, rng: np.random.Generator
) -> tuple[list[_Episode], list[_Episode]]:
    """Return the episodes to train on and those held out, at least one of each."""
    if len(episodes) < 2:
        where = ", ".join(map(str, folders))
        raise ClassifierDataError(
            f"{where}: expected at least 2 episodes marked as {kind}, found {len(episodes)}; record more, or mark them "
            "with `steadyhand relabel`"
        )
    count = min(max(1, round(config.holdout_share * len(episodes))), len(episodes) - 1)
    held_out = set(rng.permutation(len(episodes))[:count].tolist())
    return (
        [one for index, one in enumerate(episodes) if index not in held_out],
        [one for index, one in enumerate(episodes) if index in held_out],
    )


def _check_same(readers: Sequence[LogReader]) -> None:
    first = readers[0].schema
    for reader in readers[1:]:
        if reader.schema.observation != first.observation:
            lines = [line for line in first.diff(reader.schema) if line.startswith("observation")]
            raise ClassifierDataError(
                f"{reader.folder}: expected the observations of {readers[0].folder}, found others "
                f"({'; '.join(lines) or 'other scales'}); take logs of one set-up"
            )

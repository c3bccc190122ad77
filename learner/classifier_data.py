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
from steadyhand.learner.example_stages import example_stages
from steadyhand.learner.replay.soundness import fit_rows
from steadyhand.transport.label_log import UNSURE
from steadyhand.transport.labelled import labelled_columns
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.record import OBSERVATION
from steadyhand.transport.record_check import RecordCheck
from steadyhand.transport.schema import Schema

__all__ = ["ClassifierData", "ClassifierDataError", "ExampleEpisode", "read_classifier_data"]


class ClassifierDataError(ValueError):
    """Recorded episodes that no classifier can be trained from."""


@dataclass(frozen=True)
class ExampleEpisode:
    """The examples of one episode.

    Attributes:
        folder: Its log.
        episode_id: Its number there.
        reader: Number of the log among the readers.
        rows: Rows of its examples in the log, (n,).
        stages: Number of stages that each example shows as done, (n,).
    """

    folder: Path
    episode_id: int
    reader: int
    rows: NDArray[np.int64]
    stages: NDArray[np.int16]

    def __str__(self) -> str:
        return f"episode {self.episode_id} of {self.folder}"


@dataclass(frozen=True)
class ClassifierData:
    """Examples by number, in the logs that hold them.

    Attributes:
        readers: The logs.
        reader: The log of each example (N,).
        row: Its row there (N,).
        stage: Number of stages that it shows as done (N,).
        trained: Numbers of the examples to train on, (n,).
        held_out: Numbers of the examples of other episodes, to test on, (m,).
        trained_episodes: Episodes that `trained` is from.
        held_out_episodes: Episodes that `held_out` is from.
    """

    readers: Sequence[LogReader]
    reader: NDArray[np.int64]
    row: NDArray[np.int64]
    stage: NDArray[np.int16]
    trained: NDArray[np.int64]
    held_out: NDArray[np.int64]
    trained_episodes: Sequence[ExampleEpisode]
    held_out_episodes: Sequence[ExampleEpisode]

    @property
    def schema(self) -> Schema:
        """Return the schema of the first log; the others have the same observations."""
        return self.readers[0].schema

    def gather(self, field: str, numbers: NDArray[np.int64]) -> NDArray[Any]:
        """Copy one field of examples (n, *shape)."""
        spec = self.schema.observation_field(field)
        out = np.empty((len(numbers), *spec.shape), spec.dtype)
        which = self.reader[numbers]
        for index in np.unique(which).tolist():
            places = np.flatnonzero(which == index)
            out[places] = self.readers[index].gather(self.row[numbers[places]], OBSERVATION + field)
        return out


@contextmanager
def read_classifier_data(folders: Sequence[Path], config: ClassifierConfig, seed: int) -> Iterator[ClassifierData]:
    """Open logs and choose examples; the logs are closed afterwards.

    Args:
        folders: Sets of examples, demo sets or logs.
        config: Selects the observations that show a stage, and the share of held-out episodes.
        seed: Fixes the split.

    Raises:
        ClassifierDataError: A folder is missing, a class has examples of fewer than two episodes, or the observations
            of two folders differ.
        LogError: A folder holds no log.
    """
    readers: list[LogReader] = []
    try:
        episodes = [one for folder in folders for one in _episodes(folder, config, readers)]
        _check_same(readers)
        _check_classes(episodes, config)
        trained, held_out = _split(episodes, config, np.random.default_rng(seed))
        everything = [*trained, *held_out]
        count = sum(len(one.rows) for one in trained)
        row = np.concatenate([one.rows for one in everything])
        numbers = np.arange(len(row))
        yield ClassifierData(
            readers=readers,
            reader=np.concatenate([np.full(len(one.rows), one.reader) for one in everything]),
            row=row,
            stage=np.concatenate([one.stages for one in everything]),
            trained=numbers[:count],
            held_out=numbers[count:],
            trained_episodes=trained,
            held_out_episodes=held_out,
        )
    finally:
        for one in readers:
            one.close()


def _episodes(folder: Path, config: ClassifierConfig, readers: list[LogReader]) -> list[ExampleEpisode]:
    """Open `folder`, add it to `readers`, and return its episodes that have examples."""
    if not folder.is_dir():
        raise ClassifierDataError(
            f"{folder}: expected a set of examples, a demo set or a log, found no folder; `steadyhand reward record` "
            "makes examples/, and `steadyhand record` demos/ and demos_failed/"
        )
    reader = LogReader(folder)
    readers.append(reader)
    columns, check, found = labelled_columns(reader), RecordCheck(reader.schema), []
    for episode in columns.episodes():
        stages = example_stages(columns, episode, config)
        if (most := int(stages.max())) > len(config.stages):
            raise ClassifierDataError(
                f"{folder}: expected marks of the stages {', '.join(config.stages)}, found stage {most} in episode "
                f"{episode.episode_id}; give the names of all stages with classifier.stages=[...]"
            )
        kept = (stages != UNSURE) & columns.valid[episode.seen] & fit_rows(reader, check, episode.seen)
        if kept.any():
            rows = episode.seen[kept]
            found.append(ExampleEpisode(folder, episode.episode_id, len(readers) - 1, rows, stages[kept]))
    return found


def _check_classes(episodes: Sequence[ExampleEpisode], config: ClassifierConfig) -> None:
    """Refuse episodes that do not show both classes of every stage at least twice: once to train, once to test."""
    for stage, name in enumerate(config.stages, start=1):
        for word, shows in (("positive", "done"), ("negative", "not done")):
            having = [one for one in episodes if ((one.stages >= stage) == (word == "positive")).any()]
            count = sum(int(((one.stages >= stage) == (word == "positive")).sum()) for one in having)
            if len(having) >= 2:
                continue
            what = f"{word} examples ({name} {shows})"
            found = f"all {count} in {having[0]}" if having else f"none in {len(episodes)} episodes"
            advice = "mark episodes with `steadyhand relabel`, or record more with `steadyhand reward record`"
            raise ClassifierDataError(f"reward: expected {what} in at least 2 episodes, found {found}; {advice}")


def _split(
    episodes: Sequence[ExampleEpisode], config: ClassifierConfig, rng: np.random.Generator
) -> tuple[list[ExampleEpisode], list[ExampleEpisode]]:
    """Return the episodes to train on and those held out: of each highest stage a share, at least one of two."""
    held_out: set[int] = set()
    highest = np.array([one.stages.max() for one in episodes])
    for stage in np.unique(highest).tolist():
        group = np.flatnonzero(highest == stage)
        count = min(max(1, round(config.holdout_share * len(group))), len(group) - 1)
        held_out |= set(rng.permutation(group)[:count].tolist())
    parts = (
        [one for index, one in enumerate(episodes) if index not in held_out],
        [one for index, one in enumerate(episodes) if index in held_out],
    )
    for part in parts:
        for stage, name in enumerate(config.stages, start=1):
            shown = np.concatenate([one.stages >= stage for one in part])
            if shown.all() or not shown.any():
                raise ClassifierDataError(
                    f"reward: expected both classes of {name} in trained and in held-out episodes, found one class "
                    "alone; record more episodes, or choose another split with seed=..."
                )
    return parts


def _check_same(readers: Sequence[LogReader]) -> None:
    first = readers[0].schema
    for reader in readers[1:]:
        if reader.schema.observation != first.observation:
            lines = [line for line in first.diff(reader.schema) if line.startswith("observation")]
            raise ClassifierDataError(
                f"{reader.folder}: expected the observations of {readers[0].folder}, found others "
                f"({'; '.join(lines) or 'other scales'}); take logs of one set-up"
            )

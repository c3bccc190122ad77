"""A demo set or a log as arrays, with its labels applied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand import log_facts
from steadyhand.log_facts import EpisodeFacts, LogFacts
from steadyhand.transport.labelled import LabelledColumns, labelled_columns
from steadyhand.transport.log import LogError, LogReader
from steadyhand.transport.record import OBSERVATION, Kind, Phase

__all__ = ["RecordedEpisode", "RecordedLog", "read_log"]


@dataclass(frozen=True)
class RecordedEpisode:
    """One episode of T steps. Actions are in [-1, 1], before the safety gate.

    Attributes:
        episode_id: Its number in the log.
        phase: Training, demonstration or evaluation.
        success: Whether the episode succeeded.
        observations: By name, (T + 1, ...); (T, ...) of an episode that a crash cut short. SI units, see the schema.
        actions: The actions that were taken. Shape (T, A).
        policy_actions: The policy's proposals; zero without a policy. Shape (T, A).
        human_actions: The operator's or expert's actions; zero without one. Shape (T, A).
        has_human: Whether the operator or expert acted. Shape (T,).
        rewards: The reward of each step. Shape (T,).
        terminated: Whether the episode terminated at this step. Shape (T,).
        truncated: Whether the episode was truncated at this step. Shape (T,).
        stamps_ns: The actor's monotonic clock at each step. Shape (T,).
    """

    episode_id: int
    phase: Phase
    success: bool
    observations: dict[str, NDArray[Any]]
    actions: NDArray[np.float32]
    policy_actions: NDArray[np.float32]
    human_actions: NDArray[np.float32]
    has_human: NDArray[np.bool_]
    rewards: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    stamps_ns: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.actions)


class RecordedLog:
    """One log: `facts` describes its contents; iterating reads its episodes from the disk one by one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts: LogFacts = log_facts.read_log(folder)

    def __len__(self) -> int:
        return len(self.facts.episodes)

    def __iter__(self) -> Iterator[RecordedEpisode]:
        with closing(LogReader(self.folder)) as reader:
            columns = labelled_columns(reader)
            for facts in self.facts.episodes:
                yield _episode(reader, columns, facts)

    def episode(self, episode_id: int) -> RecordedEpisode:
        """Read one episode.

        Raises:
            LogError: The log has no episode of this number.
        """
        for facts in self.facts.episodes:
            if facts.episode_id == episode_id:
                with closing(LogReader(self.folder)) as reader:
                    return _episode(reader, labelled_columns(reader), facts)
        numbers = ", ".join(str(facts.episode_id) for facts in self.facts.episodes[:20])
        raise LogError(f"{self.folder}: expected episode {episode_id}, found only {numbers}; choose one of these")


def _episode(reader: LogReader, columns: LabelledColumns, facts: EpisodeFacts) -> RecordedEpisode:
    rows = np.flatnonzero(columns.episode_id == facts.episode_id)
    steps = rows[columns.kind[rows] == Kind.STEP]
    return RecordedEpisode(
        episode_id=facts.episode_id,
        phase=facts.phase,
        success=facts.success,
        observations={field.name: reader.gather(rows, OBSERVATION + field.name) for field in reader.schema.observation},
        actions=reader.gather(steps, "action"),
        policy_actions=reader.gather(steps, "policy_action"),
        human_actions=reader.gather(steps, "human_action"),
        has_human=reader.gather(steps, "has_human"),
        rewards=columns.reward[steps],
        terminated=columns.terminated[steps],
        truncated=reader.gather(steps, "truncated"),
        stamps_ns=reader.gather(steps, "stamp_ns"),
    )


def read_log(folder: str | Path) -> RecordedLog:
    """Read a demo set (`runs/<name>/demos`) or a session's log (`runs/<name>/log/<session>`).

    Raises:
        LogError: There is no log, or the log is damaged.
    """
    return RecordedLog(Path(folder).expanduser())

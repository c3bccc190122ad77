"""Episodes of online training from the learner's records: means of success, intervention and return."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.record import Kind, Phase

__all__ = ["Episodes"]

COLUMNS = ("episode_id", "kind", "phase", "reward", "success", "has_human")
FIRST_ROWS = 20_000  # newest rows of a session's log that a resumed learner reads: enough for any window


@dataclass(frozen=True)
class Episode:
    """One episode of online training.

    Attributes:
        steps: Control steps.
        human_steps: Those in which the person acted.
        success: Success of the last step.
        reward: Sum of the rewards of the steps.
    """

    steps: int
    human_steps: int
    success: bool
    reward: float


class Episodes:
    """The newest episodes of online training, over all sessions. An episode counts once its last record has arrived.

    Args:
        window: Number of episodes.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._first: list[Episode] = []
        self._newest: deque[Episode] = deque(maxlen=window)
        self._count = 0
        self._next_row: dict[str, int] = {}  # by session: the first row of an episode that has not ended

    def refresh(self, readers: Iterable[LogReader]) -> None:
        """Take in the episodes that have ended since the last call. The readers must be up to date."""
        for reader in readers:
            end = len(reader)
            begin = self._next_row.get(reader.session_id, max(0, end - FIRST_ROWS))
            if begin >= end:
                continue
            columns = {name: reader.gather(np.arange(begin, end), name) for name in COLUMNS}
            finals = np.flatnonzero(columns["kind"] == Kind.FINAL)
            self._next_row[reader.session_id] = begin + int(finals[-1]) + 1 if len(finals) else begin
            first = 0
            for last in finals.tolist():
                rows = np.arange(first, last)
                first = last + 1
                # A crash leaves the beginning of an episode that has no end; the next one has another number.
                rows = rows[columns["episode_id"][rows] == columns["episode_id"][last]]
                if len(rows) and columns["phase"][last] == Phase.TRAIN:
                    self._take(_episode(columns, rows))

    def _take(self, episode: Episode) -> None:
        self._count += 1
        self._newest.append(episode)
        if len(self._first) < self._window:
            self._first.append(episode)

    def success_alone(self) -> tuple[float, float] | None:
        """Return the unassisted success rates of the first and of the newest episodes; None while they overlap."""
        if self._count < 2 * self._window:
            return None
        return _success_alone(self._first), _success_alone(self._newest)

    def scalars(self) -> dict[str, float]:
        """Return the means over the newest episodes, fit for a row of metrics; {} before the first one."""
        if not self._newest:
            return {}
        count, steps = len(self._newest), sum(one.steps for one in self._newest)
        return {
            "success": sum(one.success for one in self._newest) / count,
            "success_alone": _success_alone(self._newest),
            "intervention_share": sum(one.human_steps for one in self._newest) / steps,
            "episode_return": sum(one.reward for one in self._newest) / count,
            "episode_steps": steps / count,
        }


def _success_alone(episodes: Collection[Episode]) -> float:
    return sum(one.success and not one.human_steps for one in episodes) / len(episodes)


def _episode(columns: dict[str, NDArray[np.generic]], rows: NDArray[np.int64]) -> Episode:
    return Episode(
        steps=len(rows),
        human_steps=int(np.count_nonzero(columns["has_human"][rows])),
        success=bool(columns["success"][rows[-1]]),
        reward=float(np.sum(columns["reward"][rows], dtype=np.float64)),
    )

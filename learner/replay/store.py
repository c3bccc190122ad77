"""The replay store: index sets over logs. It copies no observation; a demo or an intervention is stored once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from learner.replay.columns import Column
from learner.replay.replay_log import ReplayLog
from transport.log_reader import LogReader

__all__ = ["ReplayStore", "Watermark"]

ROW_BITS = 40  # an id is log << ROW_BITS | row
ROW_MASK = (1 << ROW_BITS) - 1

Watermark = dict[str, int]  # session_id -> the number before which its records are visible


class ReplayStore:
    """Starts of transitions by index set, in the order in which they became visible.

    What may be sampled follows from the sequence of watermarks alone, so a run that is given the same watermarks
    again samples the same rows, however the logs have grown meanwhile.

    Args:
        capacity: online starts that are sampled, the newest ones; older ones stay on disk.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._logs: list[ReplayLog] = []
        self._by_session: dict[str, int] = {}
        self._online, self._demo = Column(np.int64), Column(np.int64)

    @property
    def online(self) -> NDArray[np.int64]:
        """Ids (n,) of the newest online starts, up to the capacity."""
        return self._online.values[-self._capacity :]

    @property
    def demo(self) -> NDArray[np.int64]:
        """Ids (n,) of demo and human starts; they are kept whatever the capacity."""
        return self._demo.values

    @property
    def transitions(self) -> int:
        """Environment transitions of practice, over all sessions, visible or not."""
        return sum(log.steps for log in self._logs)

    @property
    def online_starts(self) -> int:
        """Online starts that are loaded, visible or not, beyond the capacity too."""
        return sum(log.online_starts for log in self._logs)

    @property
    def demo_starts(self) -> int:
        """Demo and human starts that are loaded, visible or not."""
        return sum(log.demo_starts for log in self._logs)

    def steps(self) -> dict[str, int]:
        """Environment transitions of practice by session, visible or not."""
        return {log.session_id: log.steps for log in self._logs}

    def refresh(self, readers: Iterable[LogReader]) -> Watermark:
        """Load what has been recorded since, new sessions included; nothing becomes visible by that.

        Returns:
            The watermark at which everything would be visible.
        """
        for reader in readers:
            if reader.session_id not in self._by_session:
                self._by_session[reader.session_id] = len(self._logs)
                self._logs.append(ReplayLog(reader))
        for log in self._logs:
            log.refresh()
        return {log.session_id: log.next_seq for log in self._logs}

    def advance(self, watermark: Mapping[str, int]) -> None:
        """Make records visible up to the watermark, which never moves back; its order of sessions counts."""
        for session_id, next_seq in watermark.items():
            index = self._by_session[session_id]
            online, demo = self._logs[index].advance(next_seq)
            self._online.extend(online | index << ROW_BITS)
            self._demo.extend(demo | index << ROW_BITS)

    def holds(self, watermark: Mapping[str, int]) -> bool:
        """Whether every record before the watermark has been loaded."""
        return all(
            session_id in self._by_session and self._logs[self._by_session[session_id]].next_seq >= next_seq
            for session_id, next_seq in watermark.items()
        )

    def by_log(
        self, ids: NDArray[np.int64]
    ) -> Iterator[tuple[ReplayLog, NDArray[np.int64] | slice, NDArray[np.int64]]]:
        """Split ids (n,) by log: the log, where its ids stand in `ids`, and their rows."""
        which, rows = ids >> ROW_BITS, ids & ROW_MASK
        present = np.unique(which)
        for index in present.tolist():
            if len(present) == 1:
                yield self._logs[index], slice(None), rows
            else:
                places = np.flatnonzero(which == index)
                yield self._logs[index], places, rows[places]

    def episodes(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number the episodes of starts (n,): equal numbers, same episode of the same log."""
        keys = np.empty((len(ids), 2), np.int64)
        keys[:, 0] = ids >> ROW_BITS
        for log, places, rows in self.by_log(ids):
            keys[places, 1] = log.episode_id(rows)
        return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)

"""The replay store: index sets over logs. It copies no observation; a demo or an intervention is stored once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from steadyhand.learner.replay.columns import Column
from steadyhand.learner.replay.replay_log import ReplayLog, SnapshotError
from steadyhand.transport.log_reader import LogReader

__all__ = ["ReplayStore", "Watermark"]

ROW_BITS = 40  # an id is log << ROW_BITS | row
ROW_MASK = (1 << ROW_BITS) - 1

# session_id -> the number before which its records are visible; session_id + LABELS -> its newest applied label
Watermark = dict[str, int]
LABELS = "/labels"


class ReplayStore:
    """Starts of transitions by index set, in the order in which they became visible.

    The rows to sample follow from the sequence of watermarks alone. A run with the same watermarks thus samples the
    same rows, even if the logs have grown meanwhile.

    Args:
        capacity: Number of newest online starts that are sampled; older ones stay on disk.
        action_gains: Factors (A,) of actions by session id, for sessions that were recorded with other action scales.
        prior: Ids of the online sessions of other runs.
        earlier: Ids of the sessions of an earlier run that this one starts from. Their demo and human starts have an
            index of their own.
    """

    def __init__(
        self,
        capacity: int,
        action_gains: Mapping[str, ArrayLike] | None = None,
        prior: Collection[str] = (),
        earlier: Collection[str] = (),
    ) -> None:
        gains = action_gains or {}
        self._gains = {session_id: np.asarray(gain, np.float32) for session_id, gain in gains.items()}
        self._capacity = capacity
        self._logs: list[ReplayLog] = []
        self._by_session: dict[str, int] = {}
        self._online, self._demo, self._prior = Column(np.int64), Column(np.int64), Column(np.int64)
        self._earlier = Column(np.int64)
        self._prior_sessions, self._earlier_sessions = frozenset(prior), frozenset(earlier)
        # Called with (session_id, numbers) when records turn out to be damaged; another copy may be asked for.
        self.on_damage: Callable[[str, list[int]], None] = lambda session_id, numbers: None

    @property
    def online(self) -> NDArray[np.int64]:
        """Ids (n,) of the newest online starts, up to the capacity."""
        return self._online.values[-self._capacity :]

    @property
    def demo(self) -> NDArray[np.int64]:
        """Ids (n,) of demo and human starts; the capacity does not limit them."""
        return self._demo.values

    @property
    def earlier(self) -> NDArray[np.int64]:
        """Ids (n,) of demo and human starts of the earlier run; the capacity does not limit them."""
        return self._earlier.values

    @property
    def prior(self) -> NDArray[np.int64]:
        """Ids (n,) of starts in other runs' online data; the capacity does not limit them."""
        return self._prior.values

    @property
    def imitated(self) -> NDArray[np.int64]:
        """Ids of demo starts whose action is imitated; a demonstration with a failure label is only learnt from."""
        ids = self.demo
        imitated = np.empty(len(ids), np.bool_)
        for log, places, rows in self.by_log(ids):
            imitated[places] = log.is_demo(rows)
        return ids[imitated]

    @property
    def transitions(self) -> int:
        """Environment transitions of online training, over all sessions, visible or not."""
        return sum(log.steps for log in self._logs)

    @property
    def online_starts(self) -> int:
        """Online starts that are loaded, visible or not, beyond the capacity too."""
        return sum(log.online_starts for log in self._logs if not log.is_prior)

    @property
    def demo_starts(self) -> int:
        """Demo and human starts that are loaded, those of the earlier run included, visible or not."""
        return sum(log.demo_starts for log in self._logs)

    @property
    def prior_starts(self) -> int:
        """Starts in other runs' online data that are loaded, visible or not."""
        return sum(log.online_starts for log in self._logs if log.is_prior)

    def steps(self) -> dict[str, int]:
        """Environment transitions of online training by session, visible or not."""
        return {log.session_id: log.steps for log in self._logs}

    def steps_by_actor(self) -> dict[str, int]:
        """Environment transitions of online training by actor, for actors with at least one, visible or not."""
        found: dict[str, int] = {}
        for log in list(self._logs):
            if log.steps:
                found[log.reader.actor_id] = found.get(log.reader.actor_id, 0) + log.steps
        return found

    def is_prior(self, session_id: str) -> bool:
        """Return whether a session is an online session of another run."""
        return session_id in self._prior_sessions

    def refresh(self, readers: Iterable[LogReader]) -> Watermark:
        """Load new records, new sessions included; none of them becomes visible.

        Returns:
            The watermark at which everything would be visible.
        """
        for reader in readers:
            if reader.session_id not in self._by_session:
                self._by_session[reader.session_id] = len(self._logs)
                self._logs.append(self._open(reader))
        for log in self._logs:
            log.refresh()
        labels = {f"{log.session_id}{LABELS}": log.next_label for log in self._logs if log.next_label}
        return {log.session_id: log.next_seq for log in self._logs} | labels

    def advance(self, watermark: Mapping[str, int]) -> None:
        """Make records visible up to the watermark, which never moves back; its order of sessions counts."""
        for session_id, next_seq in watermark.items():
            if session_id.endswith(LABELS):
                self._logs[self._by_session[session_id.removesuffix(LABELS)]].show_labels(next_seq)
                continue
            index = self._by_session[session_id]
            self._show(index, *self._logs[index].advance(next_seq))

    def holds(self, watermark: Mapping[str, int]) -> bool:
        """Return whether every record and every label before the watermark has been loaded."""
        return all(self._has(name, number) for name, number in watermark.items())

    def _has(self, name: str, number: int) -> bool:
        index = self._by_session.get(name.removesuffix(LABELS))
        if index is None:
            return False
        log = self._logs[index]
        return (log.next_label if name.endswith(LABELS) else log.next_seq) >= number

    def save(self) -> dict[str, NDArray[Any]]:
        """Return the visible part without observations; a restart then reads only later records."""
        saved = {"online": self._online.values.copy(), "demo": self._demo.values.copy()}
        if len(self._prior):
            saved["prior"] = self._prior.values.copy()
        if len(self._earlier):
            saved["earlier"] = self._earlier.values.copy()
        for index, log in enumerate(self._logs):
            saved |= {f"{index}/{log.session_id}/{name}": column for name, column in log.save().items()}
        return saved

    def load(self, readers: Iterable[LogReader], saved: Mapping[str, NDArray[Any]]) -> None:
        """Take the result of `save`, before any other call.

        Raises:
            SnapshotError: The logs lack records that were visible.
            LabelError: A label log is damaged.
        """
        by_session = {reader.session_id: reader for reader in readers}
        columns: dict[tuple[int, str], dict[str, NDArray[Any]]] = {}
        for key, column in saved.items():
            if "/" in key:
                number, session_id, name = key.split("/")
                columns.setdefault((int(number), session_id), {})[name] = column
        for (index, session_id), values in sorted(columns.items(), key=lambda item: item[0]):
            if session_id not in by_session:
                raise SnapshotError(
                    f"session {session_id}: its log, which training has seen, is gone; restore it, "
                    "give the same --demos, --logs and earlier run as before, or start a new run"
                )
            self._by_session[session_id] = index
            self._logs.append(self._open(by_session[session_id], values))
        self._online.extend(saved["online"])
        self._prior.extend(saved.get("prior", np.empty(0, np.int64)))
        self._earlier.extend(saved.get("earlier", np.empty(0, np.int64)))
        self._demo.extend(saved["demo"])
        for index, log in enumerate(self._logs):  # what is known to be damaged since the columns were saved
            if log.reader.damaged.size:
                self._recheck(index, log.reader.damaged, again=False)

    def recheck(self, session_id: str, numbers: Collection[int]) -> None:
        """Look at records of a session again that were found damaged, or were repaired."""
        index = self._by_session.get(session_id)
        if index is not None:
            self._recheck(index, self._logs[index].reader.rows_of(sorted(numbers)), again=True)

    def _recheck(self, index: int, rows: NDArray[np.int64], again: bool) -> None:
        log = self._logs[index]
        gone, new = log.recheck(rows, again)
        self._online, self._demo, self._prior, self._earlier = (
            _without(column, gone | index << ROW_BITS)
            for column in (self._online, self._demo, self._prior, self._earlier)
        )
        online, demo = log.kinds(new)
        self._show(index, online, demo)

    def drop_unfit(
        self, ids: NDArray[np.int64], n_step: int, gamma: float, obs_horizon: int, takeover_value: float = 1.0
    ) -> bool:
        """Check the records that the transitions of starts (n,) read; return whether any start was dropped for it."""
        dropped = False
        for log, _, rows in self.by_log(ids):
            unfit = log.unfit(rows, n_step, gamma, obs_horizon, takeover_value)
            if unfit.size:
                dropped = True
                self._recheck(self._by_session[log.session_id], unfit, again=False)
                damaged = unfit[~log.reader.verify(unfit)]
                if damaged.size:
                    self.on_damage(log.session_id, [log.reader.seq_at(row) for row in damaged.tolist()])
        return dropped

    @property
    def quarantined(self) -> int:
        """Records that are loaded and left out because they are lost, damaged or unfit."""
        return sum(log.quarantined for log in list(self._logs))

    def _show(self, index: int, online: NDArray[np.int64], demo: NDArray[np.int64]) -> None:
        log = self._logs[index]
        practice = self._prior if log.is_prior else self._online
        practice.extend(online | index << ROW_BITS)
        shown = self._earlier if log.session_id in self._earlier_sessions else self._demo
        shown.extend(demo | index << ROW_BITS)

    def _open(self, reader: LogReader, saved: Mapping[str, NDArray[Any]] | None = None) -> ReplayLog:
        name = reader.session_id
        return ReplayLog(reader, saved, self._gains.get(name), self.is_prior(name))

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


def _without(column: Column, ids: NDArray[np.int64]) -> Column:
    """Return a column without some ids; the same one if it has none of them."""
    kept = ~np.isin(column.values, ids) if ids.size else np.ones(0, np.bool_)
    if kept.all():
        return column
    left = Column(np.int64)
    left.extend(column.values[kept])
    return left

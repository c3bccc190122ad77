"""The contents of a log or a demo set: its episodes, its outcomes, its size on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from steadyhand.runtime.clock import utc_text, wall_time_ns
from steadyhand.transport import log_folder
from steadyhand.transport.label_log import Label
from steadyhand.transport.labelled import labelled_columns
from steadyhand.transport.log import LogError, LogReader
from steadyhand.transport.record import Kind, Phase
from steadyhand.transport.schema import Schema

__all__ = ["EpisodeFacts", "LogFacts", "episode_labels", "log_folders", "read_log"]

DEEPEST = 4  # levels of folders that are searched: <run>/actors/<actor>/outbox/<session>
WRENCH = "observation/wrench"  # in the tool frame, of every arm


@dataclass(frozen=True)
class EpisodeFacts:
    """One recorded episode."""

    episode_id: int
    phase: Phase
    steps: int
    human_steps: int
    success: bool
    peak_force_n: float | None  # largest measured force; None where the log has no wrench


@dataclass(frozen=True)
class LogFacts:
    """One log folder. `disk_bytes` is the size of its files; the newest file is preallocated."""

    schema: Schema
    actor_id: str
    session_id: str
    records: int
    labels: int  # number of labels given afterwards
    disk_bytes: int
    episodes: tuple[EpisodeFacts, ...]

    @property
    def steps(self) -> int:
        """Return the steps of all episodes."""
        return sum(episode.steps for episode in self.episodes)

    @property
    def successes(self) -> int:
        """Return the number of successful episodes."""
        return sum(episode.success for episode in self.episodes)

    @property
    def intervention_share(self) -> float:
        """Return human steps / steps; 0 without steps."""
        return sum(episode.human_steps for episode in self.episodes) / max(self.steps, 1)


def log_folders(folder: Path, depth: int = DEEPEST) -> list[Path]:
    """Return the logs and demo sets in or below a folder, in order."""
    if not folder.is_dir():
        return []
    if log_folder.paths(folder):
        return [folder]
    below = sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()) if depth else []
    return [found for path in below for found in log_folders(path, depth - 1)]


def read_log(folder: Path) -> LogFacts:
    """Read the scalar columns of the log in `folder`.

    Raises:
        LogError: There is no log, or the log is damaged.
    """
    reader = LogReader(folder)
    try:
        rows = np.arange(len(reader))
        labelled = labelled_columns(reader)
        columns = {name: reader.gather(rows, name) for name in ("phase", "has_human")}
        columns |= {name: getattr(labelled, name) for name in ("episode_id", "kind", "success")}
        if WRENCH in (reader.dtype.names or ()):
            columns["force_n"] = _force(reader.gather(rows, WRENCH))
        return LogFacts(
            schema=reader.schema,
            actor_id=reader.actor_id,
            session_id=reader.session_id,
            records=len(rows),
            labels=labelled.labels,
            disk_bytes=sum(path.stat().st_blocks * 512 for path in folder.iterdir()),
            episodes=tuple(_episodes(columns)),
        )
    finally:
        reader.close()


def episode_labels(folder: Path, episode_id: int, success: bool, reward: float | None, author: str) -> list[Label]:
    """Return the labels that change an episode's outcome: its success mark, and the reward and end of its last step.

    Args:
        folder: The log's folder.
        episode_id: The episode's number.
        success: Whether the task was done at the last step. Without success the episode counts as truncated.
        reward: Reward of the last step; None = 1 for a success and 0 otherwise.
        author: The author of the labels.

    Raises:
        LogError: There is no such log, or no such episode in it.
    """
    reader = LogReader(folder)
    try:
        rows = np.arange(len(reader))
        rows = rows[reader.gather(rows, "episode_id") == episode_id]
        steps = rows[reader.gather(rows, "kind") == Kind.STEP]
        if not len(steps):
            raise LogError(f"{folder}: expected a recorded episode, found no episode {episode_id}; see `inspect`")
        first, last, end = (reader.seq_at(int(row)) for row in (rows[0], steps[-1], rows[-1]))
        said = (author, utc_text(wall_time_ns()))
        gain = float(success) if reward is None else reward
        return [
            Label(reader.session_id, first, end + 1, None, None, success, *said),
            Label(reader.session_id, last, last + 1, (gain,), (success,), None, *said),
        ]
    finally:
        reader.close()


def _episodes(columns: dict[str, np.ndarray]) -> list[EpisodeFacts]:
    ids, which = np.unique(columns["episode_id"], return_inverse=True)
    is_step = columns["kind"] == Kind.STEP
    steps = np.bincount(which, is_step, len(ids))
    human_steps = np.bincount(which, is_step & columns["has_human"], len(ids))
    success = np.bincount(which, columns["success"], len(ids)) > 0
    phases = np.zeros(len(ids), int)
    phases[which] = columns["phase"]
    peaks: list[float | None] = [None] * len(ids)
    if "force_n" in columns:
        largest = np.zeros(len(ids))
        np.maximum.at(largest, which, columns["force_n"])
        peaks = list(largest.tolist())
    rows = zip(
        ids.tolist(), phases.tolist(), steps.tolist(), human_steps.tolist(), success.tolist(), peaks, strict=True
    )
    return [
        EpisodeFacts(number, Phase(phase), int(count), int(human), done, peak)
        for number, phase, count, human, done, peak in rows
    ]


def _force(wrench: np.ndarray) -> np.ndarray:
    """Return the largest force of the arms at each step (n,) [N], from wrenches (n, n_arms * 6) [N], [Nm]."""
    forces = wrench.reshape(len(wrench), wrench.shape[1] // 6, 6)[:, :, :3]
    return np.asarray(np.linalg.norm(forces.astype(np.float64), axis=2).max(axis=1))

"""Facts of recorded episodes that decide whether they are fit for training."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.data.coverage import Coverage, coverage
from steadyhand.face.recorded import RecordedEpisode, read_log
from steadyhand.transport.schema import Schema

__all__ = ["SATURATED", "EpisodeQuality", "SetQuality", "read_quality"]

SATURATED = 0.999  # size of an action from which it is at its limit


@dataclass(frozen=True)
class EpisodeQuality:
    """One episode of T steps.

    Attributes:
        episode_id: Its number.
        steps: T.
        success: Whether it succeeded.
        total_reward: Sum of its rewards.
        not_finite: Steps with NaN or infinity in an observation, the action or the reward.
        frozen: Longest run of equal frames while a vector changed, by view.
        digest: Digest of its actions and vectors; equal ones are one recording twice.
        period_s: Median time between two steps [s]; NaN with fewer than two.
    """

    episode_id: int
    steps: int
    success: bool
    total_reward: float
    not_finite: int
    frozen: dict[str, int]
    digest: str
    period_s: float


@dataclass(frozen=True)
class SetQuality:
    """A demo set or a log.

    Attributes:
        folder: Its folder.
        schema: Its schema.
        episodes: One entry an episode.
        actions: All actions, (n, A).
        coverage: Quality and coverage of its trajectories.
    """

    folder: Path
    schema: Schema
    episodes: tuple[EpisodeQuality, ...]
    actions: NDArray[np.float32]
    coverage: Coverage

    @property
    def saturated(self) -> NDArray[np.float64]:
        """Return the share of steps at a limit for each axis (A,); 0 for an axis that only switches, as grippers do."""
        if not len(self.actions):
            return np.zeros(self.actions.shape[1])
        switches = np.array([len(np.unique(np.round(axis, 3))) <= 2 for axis in self.actions.T])
        share = (np.abs(self.actions) >= SATURATED).mean(axis=0)
        return np.where(switches, 0.0, share)

    @property
    def stuck(self) -> list[int]:
        """Return the axes of the action that never change."""
        if len(self.actions) < 2:
            return []
        return [int(axis) for axis in np.flatnonzero(np.ptp(self.actions, axis=0) == 0.0)]


def read_quality(folder: Path, reference: Path | None = None) -> SetQuality:
    """Read every episode of a demo set or log, frames included, one at a time.

    Args:
        folder: The set.
        reference: The set that TQ and SACo are relative to; None = the set itself.

    Raises:
        LogError: There is no log, or the log is damaged.
    """
    log = read_log(folder)
    names = [field.name for field in log.facts.schema.observation if not field.is_image]
    views = [field.name for field in log.facts.schema.observation if field.is_image]
    found, states, actions, returns = [], [], [], []
    for episode in log:
        found.append(_episode(episode, names, views))
        states.append(_states(episode, names))
        actions.append(episode.actions)
        returns.append(found[-1].total_reward)
    axes = log.facts.schema.action.shape[0]
    joined = np.concatenate(actions) if actions else np.zeros((0, axes), np.float32)
    pairs = _pairs(states, actions)
    other = None if reference is None else _reference(reference)
    return SetQuality(folder, log.facts.schema, tuple(found), joined, coverage(returns, pairs, other))


def _reference(folder: Path) -> tuple[list[float], NDArray[np.float64]]:
    log = read_log(folder)
    names = [field.name for field in log.facts.schema.observation if not field.is_image]
    episodes = list(log)
    pairs = _pairs([_states(one, names) for one in episodes], [one.actions for one in episodes])
    return [float(one.rewards.sum()) for one in episodes], pairs


def _episode(episode: RecordedEpisode, names: list[str], views: list[str]) -> EpisodeQuality:
    steps = len(episode)
    vectors = [episode.observations[name] for name in names]
    broken = ~(np.isfinite(episode.actions).all(axis=1) & np.isfinite(episode.rewards))
    for vector in vectors:
        broken |= ~np.isfinite(vector[:steps].reshape(steps, -1)).all(axis=1)
    digest = hashlib.sha256(np.ascontiguousarray(episode.actions).tobytes())
    for vector in vectors:
        digest.update(np.ascontiguousarray(vector).tobytes())
    moved = np.zeros(max(len(next(iter(episode.observations.values()))) - 1, 0), np.bool_)
    for vector in vectors:
        moved |= (vector[1:] != vector[:-1]).reshape(len(moved), -1).any(axis=1)
    stamps = np.diff(episode.stamps_ns)
    return EpisodeQuality(
        episode_id=episode.episode_id,
        steps=steps,
        success=episode.success,
        total_reward=float(episode.rewards.astype(np.float64).sum()),
        not_finite=int(np.count_nonzero(broken)),
        frozen={name: _longest(moved & _still(episode.observations[name])) for name in views},
        digest=digest.hexdigest(),
        period_s=float(np.median(stamps)) / 1e9 if len(stamps) else float("nan"),
    )


def _states(episode: RecordedEpisode, names: list[str]) -> NDArray[Any]:
    """Return the vectors of each step side by side, (T, n)."""
    steps = len(episode)
    parts = [episode.observations[name][:steps].reshape(steps, -1) for name in names]
    return np.concatenate(parts, axis=1) if parts else np.zeros((steps, 0), np.float32)


def _pairs(states: list[NDArray[Any]], actions: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    rows = [np.concatenate([state, action], axis=1) for state, action in zip(states, actions, strict=True)]
    return np.concatenate(rows).astype(np.float64) if rows else np.zeros((0, 0))


def _still(frames: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where a frame equals the one before, (T,)."""
    return np.array([np.array_equal(one, other) for one, other in zip(frames[1:], frames[:-1], strict=True)], np.bool_)


def _longest(flags: NDArray[np.bool_]) -> int:
    longest = run = 0
    for flag in flags.tolist():
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest

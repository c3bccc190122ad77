"""Episodes of a demo set or a log on their way out, and the facts that other formats have no place for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.data.mapping import plain_name
from steadyhand.face.recorded import RecordedEpisode, RecordedLog, read_log
from steadyhand.runtime.logging import get_logger
from steadyhand.transport.demo_set import DemoSetError, is_demo_set, read_manifest
from steadyhand.transport.schema import FieldSpec, Schema

__all__ = ["Outgoing", "OutgoingEpisode", "open_outgoing"]

logger = get_logger("data")


@dataclass(frozen=True)
class OutgoingEpisode:
    """One episode of T steps, labels applied.

    Attributes:
        episode_id: Its number in the log.
        observations: By the other format's names, (T + 1, ...).
        actions: The actions that were executed, (T, A) in [-1, 1].
        rewards: (T,).
        terminated: (T,).
        truncated: (T,); the last step is truncated where it is not terminated.
        interventions: Whether a person or an expert acted, (T,).
        success: Whether the episode succeeded.
    """

    episode_id: int
    observations: dict[str, NDArray[Any]]
    actions: NDArray[np.float32]
    rewards: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    interventions: NDArray[np.bool_]
    success: bool

    def __len__(self) -> int:
        return len(self.actions)


@dataclass(frozen=True)
class Outgoing:
    """A log that is exported.

    Attributes:
        log: The log.
        names: The other format's name of each observation, by the field's name.
        chosen: Numbers of the episodes to export.
        own: Schema and task, for an import that gives the same demo set again.
    """

    log: RecordedLog
    names: dict[str, str]
    chosen: tuple[int, ...]
    own: dict[str, Any]

    @property
    def schema(self) -> Schema:
        """Return the schema of a step."""
        return self.log.facts.schema

    def field(self, name: str) -> FieldSpec:
        """Return the field with this name of the other format."""
        return next(one for one in self.schema.observation if self.names[one.name] == name)

    def episodes(self) -> Iterator[OutgoingEpisode]:
        """Read the chosen episodes one by one."""
        for number in self.chosen:
            yield self._outgoing(self.log.episode(number))

    def _outgoing(self, episode: RecordedEpisode) -> OutgoingEpisode:
        seen = {self.names[name]: values for name, values in episode.observations.items()}
        steps = min(len(episode), len(next(iter(seen.values()))) - 1)
        if steps < len(episode):
            logger.warning("episode %d was cut off by a crash; its last step is left out", episode.episode_id)
        terminated = episode.terminated[:steps].copy()
        truncated = episode.truncated[:steps] & ~terminated
        if steps:
            truncated[-1] = not terminated[-1]
        return OutgoingEpisode(
            episode_id=episode.episode_id,
            observations={name: values[: steps + 1] for name, values in seen.items()},
            actions=episode.actions[:steps],
            rewards=episode.rewards[:steps],
            terminated=terminated,
            truncated=truncated,
            interventions=episode.has_human[:steps],
            success=episode.success,
        )


def open_outgoing(folder: Path, chosen: Sequence[int] | None = None) -> Outgoing:
    """Open a demo set or a log for export.

    Args:
        folder: Its folder.
        chosen: Numbers of the episodes; None = all with a step.

    Raises:
        DemoSetError: Two fields get one name, or there is no episode.
        LogError: There is no log, or the log is damaged.
    """
    log = read_log(folder)
    names = {one.name: plain_name(one.name) for one in log.facts.schema.observation}
    if len(set(names.values())) < len(names):
        raise DemoSetError(f"{folder}: expected names that differ in more than / and ., found {', '.join(names)}")
    numbers = [one.episode_id for one in log.facts.episodes if one.steps]
    picked = numbers if chosen is None else [number for number in numbers if number in set(chosen)]
    if not picked:
        raise DemoSetError(f"{folder}: expected at least one episode to export, found none")
    own: dict[str, Any] = {"schema": log.facts.schema.to_json(), "task": {}}
    if is_demo_set(folder):
        manifest = read_manifest(folder)
        own |= {"task": manifest.task, "expert": manifest.expert, "date": manifest.date}
    return Outgoing(log, names, tuple(picked), own)

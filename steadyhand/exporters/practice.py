"""The metrics of practice for exporters: one row per episode, and now and then a picture of each camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from steadyhand.actor.episode_history import History
from steadyhand.actor.events import EpisodeBegan, EpisodeLogged, Events
from steadyhand.exporters.exports import Exports
from steadyhand.transport.record import Phase

__all__ = ["PracticeExport"]

AXIS = "env_steps"
IMAGE_DIMENSIONS = 3
COPIED = ("return", "duration_s", "reset_s", "robot_minutes", "control_minutes", "human_minutes", "policy_version")
PREFIX = "practice/"


class PracticeExport:
    """Subscribes to the events of practice.

    Args:
        events: Emits the episodes.
        exports: Takes the metrics.
        rows: Rows of earlier starts, for the rates over the newest episodes.
        window: Episodes of the rolling success rates.
        picture_every: Episodes between two pictures; 0 = none.
    """

    def __init__(
        self, events: Events, exports: Exports, rows: Sequence[Mapping[str, Any]], window: int, picture_every: int
    ) -> None:
        self._exports, self._history = exports, History(rows)
        self._window, self._picture_every = window, picture_every
        self._episodes = 0
        self._env_steps = int(rows[-1].get(AXIS, 0)) if rows else 0
        events.subscribe(EpisodeLogged, self._log)
        if picture_every:
            events.subscribe(EpisodeBegan, self._begin)

    def _log(self, event: EpisodeLogged) -> None:
        row, history = event.row, self._history
        history.add(row)
        self._env_steps = int(row[AXIS])
        values = {name: float(row[name]) for name in COPIED if name in row}
        values |= {
            "success": float(row["success"]),
            "success_alone": float(row["success"] and not row["helped"]),
            "success_alone_rate": history.success_alone(self._window),
            "intervention_share": row["human_steps"] / max(1, row["steps"]),
            "intervention_share_last50": history.intervention_share(),
            "intervention_rate": history.intervention_rate(self._window),
        }
        if row["success"]:
            values["cycle_time_s"] = float(row["duration_s"])
        self._exports.scalars(AXIS, self._env_steps, {PREFIX + name: value for name, value in values.items()})

    def _begin(self, event: EpisodeBegan) -> None:
        if event.phase != Phase.TRAIN or event.observation is None:
            return
        if self._episodes % self._picture_every == 0:
            for name, value in event.observation.items():
                if value.ndim == IMAGE_DIMENSIONS and value.shape[-1] == IMAGE_DIMENSIONS and value.dtype == "uint8":
                    self._exports.picture(AXIS, self._env_steps, f"camera/{name}", value)
        self._episodes += 1

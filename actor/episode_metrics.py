"""The episodes of a run over all its starts: one JSON line per episode, and the sums over them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from steadyhand.actor.control_loop import EpisodeSummary
from steadyhand.actor.episode_history import History
from steadyhand.actor.events import EpisodeLogged, Events
from steadyhand.actor.session_log import Session
from steadyhand.runtime.append import append_whole
from steadyhand.runtime.crashpoint import crashpoint
from steadyhand.runtime.logging import get_logger

__all__ = ["EpisodeMetrics", "MetricsFile", "read_rows"]

logger = get_logger("actor.metrics")


class EpisodeMetrics:
    """Counts steps and episodes over all starts of a run, and emits the row of every episode.

    Args:
        path: `metrics/actor.jsonl`, with the rows of earlier starts.
        session: The log that the steps go to; it may hold an episode that a crash kept out of the file.
        events: Gets every row; `MetricsFile` writes it.
    """

    def __init__(self, path: Path, session: Session, events: Events) -> None:
        self._events = events
        rows = read_rows(path)
        last: dict[str, Any] = rows[-1] if rows else {}
        self.history = History(rows)
        self.episodes = len(rows)
        self.control_s = 60.0 * float(last.get("control_minutes", 0.0))
        self.human_s = 60.0 * float(last.get("human_minutes", 0.0))
        self.robot_s = 60.0 * float(last.get("robot_minutes", 0.0)) or self.control_s  # with the resets
        # The number of an episode that a kill cut short must not come again: its records may be at the learner alone.
        cut_short = int(session.begins_empty)
        self.next_episode_id = max(session.next_episode_id, int(last.get("episode_id", -1)) + 1 + cut_short)
        self.session_steps = session.steps
        self._earlier_steps = max(0, int(last.get("env_steps", 0)) - session.steps)

    @property
    def env_steps(self) -> int:
        """Return the steps of online training so far."""
        return self._earlier_steps + self.session_steps

    def add(self, summary: EpisodeSummary, facts: dict[str, Any]) -> None:
        """Count an episode, and emit its row together with `facts`."""
        self.episodes += 1
        self.control_s += summary.duration_s
        self.robot_s += summary.reset_s + summary.duration_s
        self.human_s += summary.duration_s * summary.human_steps / max(1, summary.steps)
        row = {
            "episode_id": summary.episode_id,
            "success": summary.success,
            "helped": summary.helped,
            "human_steps": summary.human_steps,
            "steps": summary.steps,
            "return": summary.episode_return,
            "reset_s": summary.reset_s,
            "duration_s": summary.duration_s,
            "stop_reason": summary.stop_reason,
            "policy_version": summary.policy_version,
            "env_steps": self.env_steps,
            "control_minutes": self.control_s / 60.0,
            "robot_minutes": self.robot_s / 60.0,
            "human_minutes": self.human_s / 60.0,
        }
        row |= facts
        self.history.add(row)
        self._events.emit(EpisodeLogged(row))


class MetricsFile:
    """`metrics/actor.jsonl`: one JSON line per episode, continued after a restart.

    Metrics are no records: they are not synced, and on a full disk a row is left out of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        _mend(path)

    def write(self, event: EpisodeLogged) -> None:
        """Append the row of an episode."""
        crashpoint("metrics.before")
        try:
            _append(self._path, json.dumps(event.row))
        except OSError as error:
            logger.error("%s: episode %d is left out (%s)", self._path, event.row["episode_id"], error)
        crashpoint("metrics.after")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file of JSON lines, except one that a crash has cut short; none without a file."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def _append(path: Path, line: str) -> None:
    with path.open("ab", buffering=0) as file:
        append_whole(file.fileno(), f"{line}\n".encode())


def _mend(path: Path) -> None:
    """End a row that a crash has cut short, so that the next one gets a line of its own."""
    if path.exists() and not path.read_bytes().endswith(b"\n"):
        _append(path, "")

"""Statistics of the newest training episodes: unassisted and assisted success, intervention, and graduation."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from steadyhand.actor.config import GraduationConfig
from steadyhand.actor.control_loop import INTERRUPTED

__all__ = ["SHARE_WINDOW", "History"]

SHARE_WINDOW = 50  # episodes of the reported intervention share
KEPT = 1000


class History:
    """The newest rows of `metrics/actor.jsonl`, oldest first. Interrupted episodes are left out."""

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        self._rows: deque[Mapping[str, Any]] = deque(maxlen=KEPT)
        for row in rows:
            self.add(row)

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in one more episode."""
        if row["stop_reason"] != INTERRUPTED:
            self._rows.append(row)

    def success_alone(self, window: int) -> float:
        """Return the share of the newest `window` episodes that succeeded unassisted."""
        newest = self._newest(window)
        return _share(sum(row["success"] and not row["helped"] for row in newest), len(newest))

    def success_helped(self, window: int) -> float:
        """Return the share of the newest `window` episodes that succeeded with an intervention."""
        newest = self._newest(window)
        return _share(sum(row["success"] and row["helped"] for row in newest), len(newest))

    def intervention_rate(self, window: int) -> float:
        """Return the share of the newest `window` episodes with an intervention."""
        newest = self._newest(window)
        return _share(sum(row["helped"] for row in newest), len(newest))

    def intervention_share(self, window: int = SHARE_WINDOW) -> float:
        """Return human steps / steps over the newest `window` episodes."""
        newest = self._newest(window)
        return _share(sum(row["human_steps"] for row in newest), sum(row["steps"] for row in newest))

    def graduated(self, config: GraduationConfig, env_steps: int) -> bool:
        """Return whether training may stop: the newest unassisted episodes succeed, and interventions are rare."""
        alone = [row["success"] for row in self._rows if not row["helped"]][-config.window :]
        return (
            env_steps >= config.min_env_steps
            and len(alone) == config.window
            and sum(alone) / config.window >= config.success
            and self.intervention_share(config.window) <= config.intervention_share
        )

    def _newest(self, window: int) -> list[Mapping[str, Any]]:
        return list(self._rows)[-window:]


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0

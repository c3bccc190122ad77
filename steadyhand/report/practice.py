"""The practice of a run: one row per episode, by actor and merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from steadyhand.actor.episode_metrics import read_rows
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.storage import FORMER_METRICS
from steadyhand.transport.record import Phase

__all__ = ["FORMER_ACTOR", "merged", "practice_by_actor"]

Row = dict[str, Any]
FORMER_ACTOR = "earlier"  # the actor of rows from an earlier release, which wrote no name
SUMS = ("env_steps", "control_minutes", "robot_minutes", "human_minutes")  # each actor counts only its own


def practice_by_actor(run: RunFolder) -> dict[str, list[Row]]:
    """Return the rows by actor id, of all actors that have rows."""
    files = {FORMER_ACTOR: run.metrics / FORMER_METRICS} | {one.actor_id: one.metrics for one in run.actor_folders()}
    found = {name: [row for row in read_rows(path) if _is_practice(row)] for name, path in files.items()}
    return {name: rows for name, rows in found.items() if rows}


def merged(by_actor: Mapping[str, Sequence[Row]]) -> list[Row]:
    """Return the rows of all actors, ordered by the end of the episodes.

    `env_steps`, `control_minutes` and `robot_minutes` of a row are totals over all actors up to that time.
    """
    tagged = [{**row, "actor": name} for name, rows in by_actor.items() for row in rows]
    if len(by_actor) < 2:
        return tagged
    newest: dict[str, Row] = {}
    rows = []
    for row in sorted(tagged, key=lambda row: str(row.get("ended", ""))):
        newest[row["actor"]] = row
        rows.append(row | {name: sum(one.get(name, 0) for one in newest.values()) for name in SUMS})
    return rows


def _is_practice(row: Row) -> bool:
    return row.get("phase", Phase.TRAIN) in (Phase.TRAIN, "train")

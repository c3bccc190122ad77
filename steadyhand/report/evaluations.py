"""Evaluations that a run keeps: one file each, with its date, and what was evaluated how."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from steadyhand.actor.evaluate import Evaluation
from steadyhand.runtime.clock import utc_text, wall_time_ns
from steadyhand.runtime.run_folder import RunFolder, RunFolderError, atomic_write_json

__all__ = [
    "ABOUT",
    "POLICY",
    "evaluation_path",
    "keep_evaluation",
    "newest_evaluations",
    "read_evaluation",
    "read_evaluations",
]

POLICY = "policy"  # the run's own, newest one
FOLDER = "evaluations"
ABOUT = "about"  # the key of what was evaluated, beside the result

Row = dict[str, Any]


def evaluation_path(run: RunFolder, who: str) -> Path:
    """Return where the evaluation that is a stage of the demo is kept."""
    return run.metrics / f"evaluation_{who}.json"


def keep_evaluation(run: RunFolder, result: Evaluation, about: Mapping[str, Any], stage: str = "") -> Path:
    """Write an evaluation into the run, with its date; return the file.

    Args:
        run: Whose policy it was.
        result: The result.
        about: What was evaluated: `who`, `policy_version`, `seed`, `overrides` and more.
        stage: Name of the demo's stage; its file is replaced. Others get a file each.
    """
    date = utc_text(wall_time_ns())
    path = evaluation_path(run, stage)
    if not stage:
        folder = run.metrics / FOLDER
        folder.mkdir(exist_ok=True)
        # The number keeps the order of those within one second; the rest keeps two at the same moment apart.
        number = sum(1 for _ in folder.glob("*.json"))
        path = folder / f"{date.replace(':', '')}-{number:04d}-{secrets.token_hex(2)}.json"
    atomic_write_json(path, {**asdict(result), ABOUT: {"date": date, **about}})
    return path


def read_evaluation(path: Path) -> Evaluation:
    """Return the result that a file holds."""
    values = json.loads(path.read_text(encoding="utf-8"))
    # Evaluations from before there were rewards do not say who judged: it was the task.
    known = {field.name: values[field.name] for field in fields(Evaluation) if field.name in values}
    return Evaluation(**{**known, "rows": tuple(known["rows"])})


def read_evaluations(run: RunFolder) -> list[Row]:
    """Return every evaluation of a run, the oldest first; one from before there were dates comes before the others.

    Raises:
        RunFolderError: A file is damaged.
    """
    paths = [*run.metrics.glob("evaluation_*.json"), *(run.metrics / FOLDER).glob("*.json")]
    rows = []
    for path in sorted(paths):
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise RunFolderError(f"{path}: expected JSON, found {error}; restore it or remove the file") from None
        if not isinstance(row, dict):
            raise RunFolderError(f"{path}: expected a JSON object, found {type(row).__name__}; remove the file")
        who = path.stem.removeprefix("evaluation_")  # as files without ABOUT are called
        rows.append({**row, ABOUT: {"who": who, "date": "", **row.get(ABOUT, {})}})
    return sorted(rows, key=lambda row: str(row[ABOUT]["date"]))


def newest_evaluations(run: RunFolder) -> dict[str, Row]:
    """Return the newest evaluation of each policy by who it is: `policy`, `bc`, or a file's name."""
    return {str(row[ABOUT]["who"]): row for row in read_evaluations(run)}

"""The evaluations of a run: one file each, with the date and a description."""

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
from steadyhand.terminal import table_text

__all__ = [
    "ABOUT",
    "POLICY",
    "evaluation_path",
    "evaluation_table",
    "keep_evaluation",
    "newest_evaluations",
    "read_evaluation",
    "read_evaluations",
]

POLICY = "policy"  # the newest policy of the run
FOLDER = "evaluations"
ABOUT = "about"  # the key of the description beside the result

Row = dict[str, Any]


def evaluation_path(run: RunFolder, who: str) -> Path:
    """Return the path of an evaluation that is a stage of the demo."""
    return run.metrics / f"evaluation_{who}.json"


def keep_evaluation(run: RunFolder, result: Evaluation, about: Mapping[str, Any], stage: str = "") -> Path:
    """Write an evaluation and its date into the run; return the file's path.

    Args:
        run: The run of the policy.
        result: The result.
        about: The description: `who`, `policy_version`, `seed`, `overrides` and more.
        stage: Name of the demo's stage, whose file is replaced. Other evaluations get a new file each.
    """
    date = utc_text(wall_time_ns())
    path = evaluation_path(run, stage)
    if not stage:
        folder = run.metrics / FOLDER
        folder.mkdir(exist_ok=True)
        # The number orders files of the same second; the rest makes simultaneous names unique.
        number = sum(1 for _ in folder.glob("*.json"))
        path = folder / f"{date.replace(':', '')}-{number:04d}-{secrets.token_hex(2)}.json"
    atomic_write_json(path, {**asdict(result), ABOUT: {"date": date, **about}})
    return path


def read_evaluation(path: Path) -> Evaluation:
    """Return the result stored in a file."""
    values = json.loads(path.read_text(encoding="utf-8"))
    # Evaluations older than rewards have no `judged_by`: the task decided their success.
    known = {field.name: values[field.name] for field in fields(Evaluation) if field.name in values}
    return Evaluation(**{**known, "rows": tuple(known["rows"])})


def read_evaluations(run: RunFolder) -> list[Row]:
    """Return every evaluation of a run, the oldest first. Evaluations without a date come before the others.

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
        who = path.stem.removeprefix("evaluation_")  # the name of files without ABOUT
        rows.append({**row, ABOUT: {"who": who, "date": "", **row.get(ABOUT, {})}})
    return sorted(rows, key=lambda row: str(row[ABOUT]["date"]))


def newest_evaluations(run: RunFolder) -> dict[str, Row]:
    """Return the newest evaluation of each policy by its name: `policy`, `bc`, or a file's name."""
    return {str(row[ABOUT]["who"]): row for row in read_evaluations(run)}


def evaluation_table(results: dict[str, Evaluation]) -> str:
    """Return one row per policy."""
    rows = [
        (
            name,
            f"{result.successes}/{result.episodes}",
            f"{100 * result.success_rate:.1f} %",
            f"{100 * result.wilson_low:.1f} to {100 * result.wilson_high:.1f} %",
            "-" if result.median_cycle_time_s is None else f"{result.median_cycle_time_s:.2f} s",
            f"{result.throughput_per_hour:.0f}/h",
        )
        for name, result in results.items()
    ]
    return table_text(("who", "successes", "rate", "95 % interval", "median cycle", "throughput"), rows)

"""The comparisons of a run's policy with another one: one file each."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from steadyhand.actor.comparison import Comparison
from steadyhand.actor.evaluate import Evaluation
from steadyhand.actor.sequential import confidence_sequence
from steadyhand.report.evaluations import ABOUT
from steadyhand.runtime.clock import utc_text, wall_time_ns
from steadyhand.runtime.run_folder import RunFolder, RunFolderError, atomic_write_json
from steadyhand.terminal import table_text

__all__ = ["comparison_json", "comparison_table", "keep_comparison", "read_comparisons", "verdict_line"]

FOLDER = "comparisons"
KEYS = ("verdict", "pairs", "first", "second", ABOUT)  # that every comparison has


def comparison_json(result: Comparison, names: tuple[str, str], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return a comparison for JSON: the verdict, the evidence, and both evaluations with their episodes."""
    test = result.test
    sides = {
        place: {"name": name, **asdict(side), "confidence_sequence": confidence_sequence(side.successes, side.episodes)}
        for place, name, side in zip(("first", "second"), names, (result.first, result.second), strict=True)
    }
    return {
        "verdict": test.verdict,
        "pairs": test.pairs,
        "first_alone": test.first_alone,
        "second_alone": test.second_alone,
        "e_first": test.e_first,
        "e_second": test.e_second,
        "threshold": test.threshold,
        "alpha": test.alpha,
        **sides,
        ABOUT: {"date": utc_text(wall_time_ns()), **about},
    }


def keep_comparison(run: RunFolder, values: Mapping[str, Any]) -> Path:
    """Write a comparison into the run; return the file's path."""
    folder = run.metrics / FOLDER
    folder.mkdir(exist_ok=True)
    number = sum(1 for _ in folder.glob("*.json"))
    date = str(values[ABOUT]["date"]).replace(":", "")
    path = folder / f"{date}-{number:04d}-{secrets.token_hex(2)}.json"
    atomic_write_json(path, values)
    return path


def read_comparisons(run: RunFolder) -> list[dict[str, Any]]:
    """Return every comparison that the run keeps, the oldest first.

    Raises:
        RunFolderError: A file is damaged.
    """
    found = []
    for path in sorted((run.metrics / FOLDER).glob("*.json")):
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            found.append({name: values[name] for name in KEYS} | values)
        except (ValueError, KeyError, TypeError) as error:
            raise RunFolderError(f"{path}: expected a comparison, found {error!r}; remove the file") from None
    return found


def comparison_table(result: Comparison, names: tuple[str, str]) -> str:
    """Return one row per policy. The interval holds although the number of episodes depends on the results."""
    rows = [_row(name, side) for name, side in zip(names, (result.first, result.second), strict=True)]
    return table_text(("who", "successes", "rate", "95 % confidence sequence", "median cycle"), rows)


def verdict_line(result: Comparison, names: tuple[str, str]) -> str:
    """Return the verdict in one line."""
    test = result.test
    alone = f"{test.first_alone} pairs won by {names[0]} alone, {test.second_alone} by {names[1]} alone"
    if not test.verdict:
        return f"no verdict after {test.pairs} pairs: {alone}"
    better, worse = names if test.verdict == "first" else names[::-1]
    evidence = max(test.e_first, test.e_second)
    return (
        f"{better} is better than {worse}: {alone} in {test.pairs} pairs; evidence {evidence:.0f}, "
        f"{test.threshold:.0f} needed for a false verdict in at most {100 * test.alpha:g} %"
    )


def _row(name: str, side: Evaluation) -> tuple[str, ...]:
    low, high = confidence_sequence(side.successes, side.episodes)
    cycle = "-" if side.median_cycle_time_s is None else f"{side.median_cycle_time_s:.2f} s"
    interval = f"{100 * low:.1f} to {100 * high:.1f} %"
    return name, f"{side.successes}/{side.episodes}", f"{100 * side.success_rate:.1f} %", interval, cycle

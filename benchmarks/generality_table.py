"""The table of `benchmarks.generality`: rows of several runs together, and the worst stretch of practice in each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import numpy as np

from steadyhand.report.records import Row
from steadyhand.runtime.run_folder import atomic_write_bytes, atomic_write_json
from steadyhand.terminal import table_text

__all__ = ["WINDOW", "chance_window", "kept_rows", "worst_window", "write_table"]

WINDOW = 20  # consecutive unassisted episodes of practice that are compared with the policy before it
UNLIKELY = 0.05  # share of runs of an unchanged policy whose worst window is lower still
DRAWS = 4_000
SEED = 0


def worst_window(successes: Sequence[bool], window: int = WINDOW) -> float | None:
    """Return the lowest success rate of `window` consecutive episodes; None if there are fewer."""
    rates = [sum(successes[end - window : end]) / window for end in range(window, len(successes) + 1)]
    return min(rates, default=None)


def chance_window(rate: float, episodes: int, window: int = WINDOW) -> float | None:
    """Return how low `worst_window` gets by chance for a policy that never changes; None if there are too few episodes.

    Args:
        rate: Its success rate; the episodes are independent.
        episodes: Number of them.
        window: As for `worst_window`.

    Returns:
        The 5 % quantile.
    """
    if episodes < window:
        return None
    drawn = np.random.default_rng(SEED).random((DRAWS, episodes)) < rate
    total = np.cumsum(np.pad(drawn, ((0, 0), (1, 0))), axis=1)
    worst = (total[:, window:] - total[:, :-window]).min(axis=1)
    return float(np.quantile(worst, UNLIKELY, method="lower")) / window


def kept_rows(results: Path, rows: Sequence[Row], file: str = "generality.json") -> list[Row]:
    """Return the rows of a file in `results`, with `rows` added, or in the place of the same task, arm and seed."""
    path = results / file
    earlier = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []
    return list({(row["task"], row["arm"], row["seed"]): row for row in (*earlier, *rows)}.values())


def write_table(results: Path, rows: Sequence[Row], episodes: int) -> str:
    """Write `generality.json` and `generality.md`, and return the text of the table.

    Args:
        results: Their folder.
        rows: One for each task, arm and seed, which may have been evaluated at different steps. `unassisted` is None in
            rows whose episodes were not counted; chance is unknown then.
        episodes: Number of episodes of an evaluation.
    """
    counts = sorted({count for row in rows for count in row["steps"]})
    table = [
        (task, arm, *_cells([row for row in rows if (row["task"], row["arm"]) == (task, arm)], counts))
        for task, arm in sorted({(row["task"], row["arm"]) for row in rows}, key=lambda pair: (pair[1], pair[0]))
    ]
    head = ("task", "arm", *(f"{count:,}" for count in counts), "worst dip", "by chance", "help")
    machines = "\n".join(sorted({row["machine"] for row in rows}))
    text = (
        f"{machines}\n\nUnassisted success of {episodes} fresh episodes [%] after so many control steps of practice, "
        f"one number per seed.\nWorst dip: the lowest success of {WINDOW} consecutive unassisted episodes of practice, "
        f"less the success before\npractice [points]. By chance: a policy that never changes dips further in "
        f"{UNLIKELY:.0%} of such runs.\n\n{table_text(head, table)}\n"
    )
    results.mkdir(parents=True, exist_ok=True)
    atomic_write_json(results / "generality.json", {"rows": list(rows)})
    atomic_write_bytes(results / "generality.md", f"# Generality\n\n```\n{text}```\n".encode())
    return text


def _cells(rows: Sequence[Row], counts: Sequence[int]) -> tuple[str, ...]:
    curves = [
        " ".join(f"{100 * row['success'][row['steps'].index(count)]:.0f}" for row in rows if count in row["steps"])
        for count in counts
    ]
    dipped = [row for row in rows if row["worst_window"] is not None]
    worst = min(dipped, key=lambda row: row["worst_window"] - row["success"][0], default=None)
    dips = ("-", "-")
    if worst is not None:
        begun, count = worst["success"][0], worst["unassisted"]
        chance = None if count is None else chance_window(begun, count)
        by_chance = "-" if chance is None else f"{100 * (chance - begun):+.0f}"
        dips = (f"{100 * (worst['worst_window'] - begun):+.0f}", by_chance)
    share = mean(row["human_share"] for row in rows)
    return (*(curve or "-" for curve in curves), *dips, f"{100 * share:.0f} %")

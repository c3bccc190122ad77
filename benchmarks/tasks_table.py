"""The table of `benchmarks.tasks`: one line per task and arm, over the seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from steadyhand.actor.statistics import wilson_interval
from steadyhand.report.records import Row
from steadyhand.runtime.run_folder import atomic_write_bytes, atomic_write_json
from steadyhand.terminal import table_text

__all__ = ["FILE", "write_table"]

FILE = "tasks.json"
HEAD = (
    "task",
    "arm",
    "steps",
    "success %",
    "95 % interval",
    "robot min",
    "helped episodes",
    "human steps",
    "cycle s",
    "peak N",
)
NOTES = """\
Success: of fresh episodes without help, one number per seed; the 95 % interval (Wilson) is of all seeds together.
Control steps, robot minutes, episodes in which the person helped, and the person's steps in them (with their share of
all steps) are of practice, without the demonstrations, and are means over the seeds. Cycle time and peak force are
medians over the successes of an evaluation, and means over the seeds. bc and ibrl get no corrections. bc does not
practise; it is the best of several clones on validation episodes, a choice that the other arms do not get."""


def write_table(results: Path, rows: Sequence[Row]) -> str:
    """Write `tasks.json` and `tasks.md`, and return the text of the table.

    Args:
        results: Their folder.
        rows: One for each task, arm and seed.
    """
    groups = sorted({(row["task"], row["arm"]) for row in rows})
    table = [_line([row for row in rows if (row["task"], row["arm"]) == group]) for group in groups]
    machines = "\n".join(sorted({row["machine"] for row in rows}))
    text = f"{machines}\n\n{table_text(HEAD, table)}\n\n{NOTES}\n"
    results.mkdir(parents=True, exist_ok=True)
    atomic_write_json(results / FILE, {"rows": list(rows)})
    atomic_write_bytes(results / "tasks.md", f"# Tasks\n\n```\n{text}```\n".encode())
    return text


def _line(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the cells of the rows of one task and arm."""
    rows = sorted(rows, key=lambda row: row["seed"])
    low, high = wilson_interval(sum(row["successes"] for row in rows), sum(row["episodes"] for row in rows))
    human, steps = (sum(row[name] for row in rows) for name in ("human_steps", "env_steps"))
    return (
        rows[0]["task"],
        rows[0]["arm"],
        f"{steps / len(rows):,.0f}",
        " ".join(f"{100 * row['successes'] / row['episodes']:.0f}" for row in rows),
        f"{100 * low:.1f} to {100 * high:.1f}",
        _mean([row["robot_minutes"] for row in rows], 1),
        _mean([row["helped_episodes"] for row in rows], 0),
        f"{human / len(rows):.0f} ({100 * human / max(1, steps):.1f} %)",
        _mean([row["cycle_s"] for row in rows], 2),
        _mean([row["peak_force_n"] for row in rows], 1),
    )


def _mean(values: Sequence[float | None], digits: int) -> str:
    """Return the mean of the known values as text; "-" without any."""
    known = [value for value in values if value is not None]
    return f"{mean(known):.{digits}f}" if known else "-"

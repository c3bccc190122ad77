"""The speed of every part: one table, each figure beside its target and a bound measured in the same run.

    python -m benchmarks.bench [--areas learner,replay] [--quick]

Figures are meaningful only on a quiet machine. Rows of omitted areas stay unchanged in the file, if it comes from the
same machine.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.areas import control_loop, gpu, launch, learner, mock, period, replay, scaling, transport, twin, weights
from benchmarks.machine import machine_line
from benchmarks.measure import CLOCK, Plan
from benchmarks.row import Row, figure_text, not_measured
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.terminal import duration_text, say, table_text

__all__ = ["AREAS", "main", "select", "table"]

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
WORK = Path("runs") / "bench"
FILE = "bench.json"
AREAS: dict[str, Callable[[Plan], Iterable[Row]]] = {
    "learner": learner.rows,
    "twin": twin.rows,
    "gpu": gpu.rows,
    "replay": replay.rows,
    "transport": transport.rows,
    "weights": weights.rows,
    "control": control_loop.rows,
    "period": period.rows,
    "launch": launch.rows,
    "mock": mock.rows,
    "scaling": scaling.rows,
}
VERDICTS = {True: "met", False: "MISSED", None: ""}


def select(names: str) -> list[str]:
    """Return the areas that a list such as `learner,replay` names; all for "".

    Raises:
        ValueError: There is no such area.
    """
    wanted = [name for name in names.split(",") if name]
    if unknown := sorted(set(wanted) - set(AREAS)):
        raise ValueError(f"--areas: expected some of {', '.join(AREAS)}, found {', '.join(unknown)}")
    return [name for name in AREAS if not wanted or name in wanted]


def measure(area: str, plan: Plan) -> list[Row]:
    """Return an area's rows. A failure becomes a row as well, so that the other areas continue."""
    rows: list[Row] = []
    try:
        for row in AREAS[area](plan):
            say(f"{area}: {row.name}: {figure_text(row.value)} {row.unit}")
            rows.append(row)
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        traceback.print_exc()
        say(f"{area}: failed: {reason}")
        rows.append(not_measured(area, "failed", "", reason))
    return rows


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table, with each distinct note once below it."""
    head = ("area", "what", "value", "unit", "bound", "share of bound", "target", "", "note")
    notes = list(dict.fromkeys(row.note for row in rows if row.note))
    lines = [
        (
            row.area,
            row.name,
            figure_text(row.value),
            row.unit,
            figure_text(row.bound),
            "-" if row.ratio is None else f"{100 * row.ratio:.0f} %",
            row.target,
            VERDICTS[row.met] if row.value is not None else "not measured",
            str(notes.index(row.note) + 1) if row.note else "-",
        )
        for row in rows
    ]
    below = "\n".join(f"{number}. {note}" for number, note in enumerate(notes, 1))
    return f"{table_text(head, lines)}\n\n{below}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and write it; return 1 if a measurement failed. A missed target is no failure."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--areas", default="", help=f"some of {','.join(AREAS)}; all by default")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="only try every line; figures mean nothing",
    )
    parser.add_argument("--results", type=Path, help=f"folder that is written ({RESULTS.relative_to(ROOT)})")
    parser.add_argument("--work", type=Path, default=WORK, help="folder for logs and runs, on the disk to measure")
    options = parser.parse_args(arguments)
    try:
        areas = select(options.areas)
    except ValueError as error:
        parser.error(str(error))
    results = options.results or (options.work / "quick" if options.quick else RESULTS)
    results.mkdir(parents=True, exist_ok=True)
    plan = Plan(options.quick, options.work / "now", results)
    machine, path = machine_line(), results / FILE
    say(machine)
    kept = _kept(path, machine, options.quick, areas)
    rows: list[Row] = []
    for area in areas:
        began_ns = CLOCK.now_ns()
        try:
            rows += measure(area, plan)
        finally:
            shutil.rmtree(plan.folder, ignore_errors=True)
        say(f"{area}: took {duration_text((CLOCK.now_ns() - began_ns) / 1e9)}\n")
        everything = sorted([*kept, *rows], key=lambda row: list(AREAS).index(row.area))
        atomic_write_json(
            path, {"machine": machine, "quick": options.quick, "rows": [row.to_json() for row in everything]}
        )
    say(f"{machine}\n\n{table(rows)}\n")
    judged = [row for row in rows if row.met is not None]
    say(f"{sum(bool(row.met) for row in judged)} of {len(judged)} targets met; written: {path}")
    return int(any(row.name == "failed" for row in rows))


def _kept(path: Path, machine: str, quick: bool, areas: Sequence[str]) -> list[Row]:
    """Return the rows of the file that are not measured again."""
    if not path.exists():
        return []
    content = json.loads(path.read_text(encoding="utf-8"))
    if (content["machine"], content["quick"]) != (machine, quick):
        return []
    found = [Row.from_json(data) for data in content["rows"]]
    return [row for row in found if row.area in AREAS and row.area not in areas]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

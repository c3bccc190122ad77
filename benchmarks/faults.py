"""The run of the fault matrix: the tests of each row, their result, and one figure.

    python -m benchmarks.faults [--rows F12,F16] [--fast] [--steps N] [--files N]

Each row runs in its own pytest, thoroughly unless `--fast`. A row passes if all of its tests pass. Omitted rows stay
unchanged in the file, which must come from the same machine and be as thorough.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.fault_rows import ROWS, FaultRow
from benchmarks.machine import machine_line
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.terminal import say, table_text

__all__ = ["Result", "main", "read_report", "select"]

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
ROW_S = 3600.0
PRINTED = 20_000  # characters of the output of a row that fails
# Larger numbers of operations, images and steps for the thorough tests.
THOROUGH = {"STEADYHAND_FAULTS": "full", "STEADYHAND_FAULT_FRAMES": "1000000", "STEADYHAND_FAULT_STEPS": "1000000"}
MERGE = {"max": max, "min": min, "sum": sum}


@dataclass(frozen=True)
class Result:
    """The result of one row of the matrix. `passed` is None if the row was not run.

    `median` belongs to a figure that is the largest of several values: `stop_periods` has one per kind of the fault.
    `measured` has all values recorded by the tests, by name: count, minimum, median, maximum.
    """

    id: str
    fault: str
    behaviour: str
    figure: float | None
    median: float | None
    unit: str
    passed: bool | None
    why_not_run: str
    measured: dict[str, dict[str, float]]

    def to_json(self) -> dict[str, object]:
        """Return the row in the form of the file."""
        values = asdict(self)
        values["pass"] = values.pop("passed")
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Result:
        """Return the row of a value that `to_json` returned."""
        rest = {name: value for name, value in values.items() if name != "pass"}
        return cls(**{"measured": {}, **rest}, passed=values["pass"])


def select(names: str) -> list[FaultRow]:
    """Return the rows that a list such as `F3,F12` names; all for "".

    Raises:
        ValueError: There is no such row.
    """
    wanted = [name for name in names.split(",") if name]
    unknown = set(wanted) - {row.id for row in ROWS}
    if unknown:
        raise ValueError(f"--rows: expected F1 to F{len(ROWS)}, found {', '.join(sorted(unknown))}")
    return [row for row in ROWS if not wanted or row.id in wanted]


def read_report(row: FaultRow, junit: str) -> Result:
    """Return the result of a row from pytest's report.

    Args:
        row: The row of the tests.
        junit: XML of the family xunit1, which has the properties of each test.
    """
    cases = list(ET.fromstring(junit).iter("testcase"))  # noqa: S314  pytest's own file, of this moment
    skipped = [case for case in cases if case.find("skipped") is not None]
    broken = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    ran = len(cases) - len(skipped)
    if not ran:
        reason = _message(skipped[0], "skipped") if skipped else "its tests were left out on this machine"
        return _result(row, row.behaviour, None, reason)
    measured = _measured(cases)
    if broken:
        message = _message(broken[0], "failure") or _message(broken[0], "error")
        behaviour = f"{len(broken)} of {ran} tests fail, {broken[0].get('name')}: {message}"
        return _result(row, behaviour, False, "", _figure(row, cases, ran - len(broken)), measured)
    return _result(row, row.behaviour, True, "", _figure(row, cases, ran), measured)


def _figure(row: FaultRow, cases: Sequence[ET.Element], passed: int) -> tuple[float | None, float | None]:
    """Return the row's figure, and the median of the values whose maximum it is."""
    if not row.figure:
        return passed, None
    found = _properties(cases).get(row.figure)
    if not found:
        return None, None
    middle = round(median(found), 3) if row.merge == "max" and len(found) > 1 else None
    return round(MERGE[row.merge](found), 3), middle


def _measured(cases: Sequence[ET.Element]) -> dict[str, dict[str, float]]:
    return {
        name: {
            "count": len(values),
            "min": round(min(values), 4),
            "median": round(median(values), 4),
            "max": round(max(values), 4),
        }
        for name, values in sorted(_properties(cases).items())
    }


def _properties(cases: Sequence[ET.Element]) -> dict[str, list[float]]:
    """Return the numbers that the tests recorded, by name."""
    found: dict[str, list[float]] = {}
    for item in (item for case in cases for item in case.iter("property")):
        found.setdefault(item.get("name", ""), []).append(float(item.get("value", "nan")))
    return found


def _message(case: ET.Element, kind: str) -> str:
    element = case.find(kind)
    text = "" if element is None else (element.get("message") or element.text or "")
    return text.strip().partition("\n")[0][:200]


def _result(
    row: FaultRow,
    behaviour: str,
    passed: bool | None,
    why_not_run: str,
    figures: tuple[float | None, float | None] = (None, None),
    measured: Mapping[str, dict[str, float]] | None = None,
) -> Result:
    return Result(row.id, row.fault, behaviour, *figures, row.unit, passed, why_not_run, dict(measured or {}))


def run_row(row: FaultRow, fast: bool) -> Result:
    """Run a row's tests and return the result."""
    if row.why_not_run:
        return _result(row, row.behaviour, None, row.why_not_run)
    environment = os.environ | ({} if fast else THOROUGH)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--show-capture=no", *row.tests]
        command += ["-o", "junit_family=xunit1", f"--junitxml={report}"]
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=ROW_S, check=False
            )
        except subprocess.TimeoutExpired:
            return _result(row, f"its tests did not end within {ROW_S:.0f} s", False, "")
        if not report.exists():
            lines = (done.stdout + done.stderr).strip().splitlines() or ["pytest said nothing"]
            return _result(row, lines[-1][:200], False, "")
        result = read_report(row, report.read_text(encoding="utf-8"))
        if result.passed is False:  # an example that was found at random is nowhere else
            print(done.stdout[-PRINTED:], file=sys.stderr, flush=True)
        return result


def matrix_text(results: Sequence[Result]) -> str:
    """Return the matrix as a table."""
    verdicts = {True: "pass", False: "FAIL", None: "not run"}
    rows = [
        (
            result.id,
            result.fault,
            result.why_not_run or result.behaviour,
            "-" if result.figure is None else f"{result.figure:g}",
            "-" if result.median is None else f"{result.median:g}",
            result.unit,
            verdicts[result.passed],
        )
        for result in results
    ]
    return table_text(("id", "fault", "behaviour", "figure", "median", "unit", ""), rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rows, print the matrix and write it; return 1 if a row fails."""
    parser = argparse.ArgumentParser(prog="benchmarks.faults", description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", default="", help="which rows, as F3,F12; all by default")
    parser.add_argument("--fast", action="store_true", help="as `make test` runs them")
    parser.add_argument("--steps", type=int, help="steps of the simulation, F37")
    parser.add_argument("--files", type=int, help="fuzzed files of each kind, F38")
    parser.add_argument("--results", type=Path, default=RESULTS / "faults.json", help="the file that is written")
    options = parser.parse_args(arguments)
    try:
        rows = select(options.rows)
    except ValueError as error:
        parser.error(str(error))
    for name, value in (("STEADYHAND_SIMULATION_STEPS", options.steps), ("STEADYHAND_FUZZED_FILES", options.files)):
        if value is not None:
            os.environ[name] = str(value)
    head = {"machine": machine_line(), "thorough": not options.fast}
    earlier = (
        json.loads(options.results.read_text(encoding="utf-8")) if options.rows and options.results.exists() else {}
    )
    if any(earlier.get(name, value) != value for name, value in head.items()):
        parser.error(
            f"{options.results}: has the rows of another machine, or is not as thorough; write these to another file "
            "with --results"
        )
    order = [row.id for row in ROWS]
    left_out = set(order) - {row.id for row in rows}
    kept = [Result.from_json(row) for row in earlier.get("rows", []) if row["id"] in left_out]
    results: list[Result] = []
    for row in rows:
        results.append(run_row(row, options.fast))
        say(f"{row.id}: {row.fault}: {'not run' if results[-1].passed is None else results[-1].passed}")
        everything = sorted([*kept, *results], key=lambda result: order.index(result.id))
        atomic_write_json(options.results, {**head, "rows": [each.to_json() for each in everything]})
    say(f"\n{matrix_text(results)}")
    ran = [result for result in results if result.passed is not None]
    say(f"\n{sum(bool(result.passed) for result in ran)} of {len(ran)} rows pass, {len(results) - len(ran)} not run")
    say(f"written: {options.results}")
    return int(any(result.passed is False for result in results))


if __name__ == "__main__":
    sys.exit(main())

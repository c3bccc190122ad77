"""Each controller's profile against its stub: 20 of 20 `reach` by the true pose, and the error lines.

    python -m benchmarks.controllers [--profiles ur_servo,ur_fzi] [--episodes 20] [--patient]

Writes `benchmarks/results/controllers.json` and the tables of `docs/controllers.md`; omitted profiles stay unchanged.
Exits 1 unless every episode succeeded. `--patient` is for a shared machine: readings may be 1.5 s old, and commands
0.5 s. The stubs (`ros2_ws/src/actor/test/stub_*.py`) behave as the controllers' sources.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_line
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.terminal import say, table_text

__all__ = ["main"]

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "benchmarks" / "results" / "controllers.json"
DOCS = ROOT / "docs" / "controllers.md"
START, END = "<!-- results -->\n", "<!-- end of results -->\n"
PACKAGE = ROOT / "ros2_ws" / "src" / "actor"
PROFILES = ("crisp_fr3", "crisp_ur", "fzi_cartesian", "ur_fzi", "ur_servo", "xarm_servo")
PATIENCE_S = 1800


def run(profile: str, episodes: int, patient: bool) -> dict[str, Any]:
    """Run one profile in its own process.

    Raises:
        RuntimeError: The process gave no result; the line has the end of its output.
    """
    path = os.pathsep.join([str(PACKAGE), str(PACKAGE / "test"), str(ROOT)])
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            [sys.executable, str(PACKAGE / "test" / "controller_cases.py"), profile, str(episodes), folder]
            + ["patient"] * patient,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    answer = ended.stdout.strip().splitlines()
    if not answer or not answer[-1].startswith("{"):
        raise RuntimeError(f"{profile}: exit {ended.returncode}: {ended.stderr.strip()[-2000:]}")
    found: dict[str, Any] = json.loads(answer[-1])
    return found


def table(results: dict[str, dict[str, Any]]) -> str:
    """Return the figures as text."""
    rows = [
        [
            name,
            f"{found['reached']} of {found['episodes']}",
            f"{found['true_distance_mm_mean']} / {found['true_distance_mm_max']}",
            str(found["ready_s"]),
            str(found["run_again_after_stalls"]),
        ]
        for name, found in results.items()
    ]
    return table_text(["profile", "reach", "true distance [mm] mean / max", "launch to ready [s]", "run again"], rows)


def markdown(results: dict[str, dict[str, Any]]) -> str:
    """Return the figures and the error lines as two Markdown tables."""
    rows = [
        "| profile | `reach`, true pose | distance from the goal, mean and largest [mm] | from launch to enabled [s] |",
        "|---|---|---|---|",
    ]
    for name, found in results.items():
        distances = f"{found['true_distance_mm_mean']}, {found['true_distance_mm_max']}"
        rows.append(f"| `{name}` | {found['reached']} of {found['episodes']} | {distances} | {found['ready_s']} |")
    rows += [
        "",
        "The line for each wrong state of a controller:",
        "",
        "| profile | wrong state | line |",
    ]
    rows.append("|---|---|---|")
    for name, found in results.items():
        rows += [f"| `{name}` | {case} | `{line}` |" for case, line in found["lines"].items()]
    return "\n".join(rows) + "\n"


def write_docs(results: dict[str, dict[str, Any]]) -> None:
    """Write the tables between their marks in the docs."""
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    DOCS.write_text(f"{before}{START}{markdown(results)}{END}{after}", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the profiles, print the table and write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--profiles", default=",".join(PROFILES))
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--patient", action="store_true")
    given = parser.parse_args(arguments)
    wanted = given.profiles.split(",")
    if unknown := sorted(set(wanted) - set(PROFILES)):
        parser.error(f"--profiles: expected some of {', '.join(PROFILES)}, found {', '.join(unknown)}")
    results = json.loads(FILE.read_text())["profiles"] if FILE.exists() else {}
    for name in wanted:
        say(f"{name}: {given.episodes} episodes")
        results[name] = run(name, given.episodes, given.patient)
        kept = {name: results[name] for name in PROFILES if name in results}
        atomic_write_json(FILE, {"machine": machine_line(), "profiles": kept})
    write_docs({name: results[name] for name in PROFILES if name in results})
    say(table({name: results[name] for name in wanted}))
    return 0 if all(results[name]["reached"] == results[name]["episodes"] for name in wanted) else 1


if __name__ == "__main__":
    sys.exit(main())

"""What demonstrations and corrections are worth: the same step budget with and without them, over several seeds.

    python -m benchmarks.learning [--steps N] [--seeds N] [--arms full,bc] [--jobs N] [group=option key=value ...]

Every row is a run of its own, made of the demo's own steps. Rows that are finished are kept: the same command goes on
where it was ended. `--fresh` starts over.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean
from typing import Any

from actor.evaluate import Evaluation
from actor.policy_runner import use_one_thread
from benchmarks.machine import machine_line
from learner.saved_policy import SavedPolicy
from runtime.clock import MonotonicClock
from runtime.run_folder import atomic_write_bytes, atomic_write_json
from steadyhand.children import thread_environment
from steadyhand.job import Job, open_job
from steadyhand.practice import train
from steadyhand.report.records import read_run
from steadyhand.report.summary import summarise
from steadyhand.session import evaluate, fit_bc_baseline, practice_logs, record_demos, trained_policy
from steadyhand.terminal import duration_text, table_text

RESULTS = Path(__file__).resolve().parent / "results"
# Without demonstrations there are no first weights to act with: bounded random steps, in simulation only.
COLD_START = ("actor.exploration.max_env_steps=500",)
# What each arm learns from; the last two learn without practice, from what the full arm of their seed has recorded.
ARMS = {
    "full": "demonstrations and corrections",
    "demos": "demonstrations, nobody corrects",
    "corrections": "corrections, no demonstrations",
    "neither": "practice alone",
    "bc": "behaviour cloning of the demonstrations",
    "hg_dagger": "behaviour cloning of demonstrations and the full arm's interventions",
}
CLONED = ("bc", "hg_dagger")
WITH_DEMOS = ("full", "demos")
WITH_CORRECTIONS = ("full", "corrections")


def main() -> int:
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.learning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--steps", type=int, default=20_000, help="control steps of practice in every arm")
    parser.add_argument("--seeds", type=int, default=3, help="how many, counted from seed=")
    parser.add_argument("--arms", default=",".join(ARMS), help="comma-separated: %(default)s")
    parser.add_argument("--jobs", type=int, default=1, help="rows at a time; each takes about one core")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of learning.json and learning.md")
    parser.add_argument("--fresh", action="store_true", help="run every row again")
    parser.add_argument("--row", help=argparse.SUPPRESS)  # arm:seed, in a process of its own
    options, overrides = parser.parse_known_args()
    if unknown := [word for word in overrides if word.startswith("-")]:
        parser.error(f"unknown option {unknown[0]}")
    arms = options.arms.split(",")
    if unknown := [arm for arm in arms if arm not in ARMS]:
        parser.error(f"unknown arm {unknown[0]}; choose among {', '.join(ARMS)}")
    if options.row:
        arm, seed = options.row.split(":")
        return _run_row(arm, int(seed), options.steps, options.results, overrides)
    seeds = _seeds(overrides, options.seeds)
    _run_missing(options, arms, seeds, overrides)
    rows = [row for seed in seeds for arm in arms if (row := _read_row(options.results, arm, seed, options.steps))]
    _write_results(options.results, rows)
    return 0 if len(rows) == len(arms) * len(seeds) else 1


def _seeds(overrides: Sequence[str], count: int) -> list[int]:
    first = next((int(word[5:]) for word in reversed(overrides) if word.startswith("seed=")), 0)
    return list(range(first, first + count))


def _run_missing(options: argparse.Namespace, arms: Sequence[str], seeds: Sequence[int], overrides: list[str]) -> None:
    """Run the rows that are not there yet, practice first: what is cloned comes from it."""
    practised = [(arm, seed) for seed in seeds for arm in arms if arm not in CLONED]
    cloned = [(arm, seed) for seed in seeds for arm in arms if arm in CLONED]
    practised += [("full", seed) for _, seed in cloned if ("full", seed) not in practised]

    def run(row: tuple[str, int]) -> None:
        arm, seed = row
        if options.fresh:
            _row_path(options.results, arm, seed, options.steps).unlink(missing_ok=True)
            if arm not in CLONED:
                shutil.rmtree(_folder(options.results) / _run_name(arm, seed, options.steps), ignore_errors=True)
        if _read_row(options.results, arm, seed, options.steps):
            return
        print(f"{arm}, seed {seed}: starts", flush=True)
        command = [sys.executable, "-m", "benchmarks.learning", "--row", f"{arm}:{seed}", "--steps", str(options.steps)]
        command += ["--results", str(options.results), *overrides]
        status = subprocess.run(command, env={**os.environ, **thread_environment(1)}, check=False).returncode
        done = _read_row(options.results, arm, seed, options.steps)
        outcome = (
            f"{done['success_rate']:.1%} in {duration_text(done['wall_time_s'])}" if done else f"failed ({status})"
        )
        print(f"{arm}, seed {seed}: {outcome}", flush=True)

    for wave in (practised, cloned):
        with ThreadPoolExecutor(options.jobs) as pool:
            list(pool.map(run, wave))


def _run_row(arm: str, seed: int, steps: int, results: Path, overrides: Sequence[str]) -> int:
    """Run one arm with one seed, and write its row."""
    use_one_thread()
    clock = MonotonicClock()
    began_ns = clock.now_ns()
    source = "full" if arm in CLONED else arm
    job = open_job([*overrides, f"seed={seed}", *_arm_overrides(source, steps), f"run_root={_folder(results)}",
                    f"run_name={_run_name(source, seed, steps)}"])  # fmt: skip
    policy = _cloned(job, arm) if arm in CLONED else _practised(job, arm)
    judged = evaluate(job, policy, job.demo.eval_episodes, seed, who="" if arm in CLONED else "policy")
    wall_s = (clock.now_ns() - began_ns) / 1e9
    row = _row(arm, seed, steps, judged, wall_s, {} if arm in CLONED else summarise(read_run(job.run)))
    atomic_write_json(_row_path(results, arm, seed, steps), row)
    return 0


def _arm_overrides(arm: str, steps: int) -> list[str]:
    overrides = [
        f"actor.max_env_steps={steps}",
        "actor.graduation=null",
        "logging.console=off",
        "logging.level=warning",
    ]
    if arm not in WITH_CORRECTIONS:
        overrides.append("device=none")
    return overrides


def _practised(job: Job, arm: str) -> SavedPolicy:
    never = lambda: False  # noqa: E731
    job.write_manifest()
    if arm in WITH_DEMOS:
        record_demos(job, never)
    train(job, never, () if arm in WITH_DEMOS else COLD_START, shown=False)
    return trained_policy(job)


def _cloned(job: Job, arm: str) -> SavedPolicy:
    logs = [job.run.demos, *(practice_logs(job) if arm == "hg_dagger" else [])]
    return fit_bc_baseline(job, logs, lambda: False)


def _row(
    arm: str, seed: int, steps: int, judged: Evaluation, wall_s: float, practice: dict[str, Any]
) -> dict[str, Any]:
    return {
        "arm": arm,
        "seed": seed,
        "steps": steps,
        "env_steps": practice.get("env_steps", 0),
        "updates": practice.get("gradient_updates", 0),
        "success_rate": judged.success_rate,
        "wilson_low": judged.wilson_low,
        "wilson_high": judged.wilson_high,
        "episodes": judged.episodes,
        "intervention_share_last50": practice.get("intervention_share_last50"),
        "median_cycle_time_s": judged.median_cycle_time_s,
        "wall_time_s": wall_s,
    }


def _write_results(results: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write and print the table."""
    table = [
        (
            row["arm"],
            row["seed"],
            row["env_steps"],
            row["updates"],
            f"{100 * row['success_rate']:.1f}",
            f"{100 * row['wilson_low']:.1f} to {100 * row['wilson_high']:.1f}",
            _or_dash(row["intervention_share_last50"], 100, "{:.1f}"),
            _or_dash(row["median_cycle_time_s"], 1, "{:.2f}"),
            duration_text(row["wall_time_s"]),
        )
        for row in sorted(rows, key=lambda row: (list(ARMS).index(row["arm"]), row["seed"]))
    ]
    head = (
        "arm",
        "seed",
        "env steps",
        "updates",
        "success %",
        "95 % interval",
        "help % last 50",
        "cycle s",
        "wall time",
    )
    means = [
        (arm, _mean_text(row["success_rate"] for row in rows if row["arm"] == arm), text) for arm, text in ARMS.items()
    ]
    summary = table_text(("arm", "mean success", "learns from"), [line for line in means if line[1]])
    text = f"{machine_line()}\n\n{table_text(head, table) if table else 'no rows'}\n\n{summary if table else ''}\n"
    print(f"\n{text}")
    atomic_write_json(results / "learning.json", {"machine": machine_line(), "rows": list(rows)})
    atomic_write_bytes(results / "learning.md", f"# Learning\n\n```\n{text}```\n".encode())


def _mean_text(rates: Iterable[float]) -> str:
    found = list(rates)
    return f"{100 * mean(found):.1f} % of {len(found)}" if found else ""


def _or_dash(value: float | None, factor: float, form: str) -> str:
    return "-" if value is None else form.format(factor * value)


def _folder(results: Path) -> Path:
    """Return where the rows' runs are: beside the product's other runs, for the results' folder is committed."""
    return Path("runs") / "bench-learning" if results == RESULTS else results / "runs"


def _run_name(arm: str, seed: int, steps: int) -> str:
    return f"{arm}-{seed}-{steps}"


def _row_path(results: Path, arm: str, seed: int, steps: int) -> Path:
    return _folder(results) / f"row-{_run_name(arm, seed, steps)}.json"


def _read_row(results: Path, arm: str, seed: int, steps: int) -> dict[str, Any] | None:
    path = _row_path(results, arm, seed, steps)
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())

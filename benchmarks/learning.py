"""The value of demonstrations and corrections: the same step budget with and without them, over several seeds.

    python -m benchmarks.learning [--steps N] [--seeds N] [--arms full,bc] [--jobs N] [group=option key=value ...]

Each row is a separate run of the demo's steps. Finished rows of the same configuration are kept, so the same command
continues an interrupted benchmark. Use `--fresh` to start over, for instance after a change of the code.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.machine import machine_line
from benchmarks.options import add_row_options, options_and_overrides, seeds_of
from benchmarks.trial import Trial, finished_rows
from steadyhand.actor.policy_runner import use_one_thread
from steadyhand.job import Job, open_job, quoted
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.pipeline.cloning import clone, practice_logs
from steadyhand.pipeline.evaluation import evaluate, trained_policy
from steadyhand.pipeline.recording import record
from steadyhand.report.records import read_run
from steadyhand.report.summary import summarise
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.run_folder import atomic_write_bytes, atomic_write_json
from steadyhand.subprocesses import thread_environment
from steadyhand.supervise import train
from steadyhand.terminal import duration_text, table_text

RESULTS = Path(__file__).resolve().parent / "results"
RUNS = Path("runs") / "bench-learning"
ARMS = {
    "full": "demonstrations and corrections",
    "demos": "demonstrations, no corrections",
    "corrections": "corrections, no demonstrations",
    "neither": "practice alone",
    "bc": "behaviour cloning of the demonstrations",
    "hg_dagger": "behaviour cloning of the demonstrations and the full arm's interventions",
}
CLONED = ("bc", "hg_dagger")  # no practice of their own: they learn from the records of their seed's full arm
WITH_DEMOS = ("full", "demos")
WITH_CORRECTIONS = ("full", "corrections")
NOTES = """\
Inputs are scaled by the demonstrations, or without them by the typical readings that the environment declares. bc and
hg_dagger practise nothing of their own; each is the best of several candidates on validation episodes, a choice that
the trained arms do not get."""
# Without demonstrations there are no initial weights: act with bounded random steps, in simulation only.
COLD_START = ("actor.exploration.max_env_steps=500",)


@dataclass(frozen=True)
class ArmTrial(Trial):
    """One arm with one seed."""

    arm: str
    seed: int
    steps: int
    given: tuple[str, ...]  # overrides from the command line

    @cached_property
    def overrides(self) -> list[str]:
        """Return the configuration as overrides."""
        mine = [f"seed={self.seed}", f"actor.max_env_steps={self.steps}", "actor.graduation=null"]
        mine += ["logging.console=off", "logging.level=warning"]
        if self.practised.arm not in WITH_CORRECTIONS:
            mine.append("device=none")
        if self.practised.arm not in WITH_DEMOS:
            mine += COLD_START
        return [*self.given, *mine]

    @property
    def label(self) -> str:
        """Arm, seed and steps."""
        return f"{self.arm}-{self.seed}-{self.steps}"

    @property
    def practised(self) -> ArmTrial:
        """The trial whose run folder this trial uses."""
        return replace(self, arm="full") if self.arm in CLONED else self

    @property
    def text(self) -> str:
        """The trial's name in progress lines."""
        return f"{self.arm}, seed {self.seed}"


def main() -> int:
    """Run the missing rows, and print the table; return 0 if all rows exist."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.learning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--steps", type=int, default=10_000, help="control steps of practice (%(default)s)")
    add_row_options(parser, ARMS, RUNS)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of learning.json and learning.md")
    parser.add_argument("--fresh", action="store_true", help="run every row again")
    options, given = options_and_overrides(parser)
    if options.row:
        arm, seed = options.row.split(":")
        return _run_row(ArmTrial(arm, int(seed), options.steps, tuple(given)), options.runs)
    arms = options.arms.split(",")
    if unknown := [arm for arm in arms if arm not in ARMS]:
        parser.error(f"unknown arm {unknown[0]}; choose among {', '.join(ARMS)}")
    seeds = seeds_of(given, options.seeds)
    trials = [ArmTrial(arm, seed, options.steps, tuple(given)) for arm in arms for seed in seeds]
    _run_missing(trials, options.runs, options.results, options.jobs, options.fresh)
    rows = finished_rows(trials, options.runs)
    _write_results(options.results, rows)
    return 0 if len(rows) == len(trials) else 1


def _run_missing(trials: Sequence[ArmTrial], runs: Path, results: Path, jobs: int, fresh: bool) -> None:
    """Run the missing rows, those with practice first, because cloning uses their records."""
    practice = list(dict.fromkeys(trial.practised for trial in trials))
    practice.sort(key=lambda trial: trial.seed)
    cloned = [trial for trial in trials if trial.arm in CLONED]

    def run(trial: ArmTrial) -> None:
        if fresh:
            trial.row_path(runs).unlink(missing_ok=True)
            shutil.rmtree(runs / trial.name, ignore_errors=True)
        if trial.row(runs):
            return
        print(f"{trial.text}: starts", flush=True)
        command = [sys.executable, "-m", "benchmarks.learning", "--row", f"{trial.arm}:{trial.seed}"]
        command += ["--steps", str(trial.steps), "--runs", str(runs), *trial.given]
        done = subprocess.run(command, env={**os.environ, **thread_environment(1)}, check=False)
        row = trial.row(runs)
        outcome = f"failed with status {done.returncode}"
        if row:
            outcome = f"{row['success_rate']:.1%} in {duration_text(row['wall_time_s'])}"
        print(f"{trial.text}: {outcome}", flush=True)
        _write_results(results, finished_rows(trials, runs), shown=False)

    for wave in (practice, cloned):
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(run, wave))


def _run_row(trial: ArmTrial, runs: Path) -> int:
    """Run one arm with one seed, and write its row."""
    use_one_thread()
    clock = MonotonicClock()
    began_ns = clock.now_ns()
    job = open_job([*trial.overrides, f"run_root={quoted(runs)}", f"run_name={trial.practised.name}"])
    practises = trial.practised == trial
    policy = _practise(job, trial.arm) if practises else _clone(job, trial.arm)
    judged = evaluate(job, policy, job.settings.demo.eval_episodes, job.seed, who="policy" if practises else trial.arm)
    practice = summarise(read_run(job.run)) if practises else {}
    row = {
        "arm": trial.arm,
        "seed": trial.seed,
        "env_steps": practice.get("env_steps", 0),
        "updates": practice.get("gradient_updates", 0),
        "success_rate": judged.success_rate,
        "wilson_low": judged.wilson_low,
        "wilson_high": judged.wilson_high,
        "episodes": judged.episodes,
        "intervention_share_last50": practice.get("intervention_share_last50"),
        "median_cycle_time_s": judged.median_cycle_time_s,
        "wall_time_s": (clock.now_ns() - began_ns) / 1e9,
    }
    trial.write_row(runs, row)
    return 0


def _practise(job: Job, arm: str) -> SavedPolicy:
    job.write_manifest()
    if arm in WITH_DEMOS:
        record(job)
    train(job, shown=False)
    return trained_policy(job)


def _clone(job: Job, arm: str) -> SavedPolicy:
    return clone(job, [job.run.demos, *(practice_logs(job) if arm == "hg_dagger" else [])])


def _write_results(results: Path, rows: Sequence[dict[str, Any]], shown: bool = True) -> None:
    """Write the table, and print it."""
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
    rates = {arm: [row["success_rate"] for row in rows if row["arm"] == arm] for arm in ARMS}
    means = [(arm, _mean_text(rates[arm]), ARMS[arm]) for arm in ARMS if rates[arm]]
    tables = f"{table_text(head, table)}\n\n{table_text(('arm', 'mean success', 'learns from'), means)}"
    text = f"{machine_line()}\n\n{tables if rows else 'no rows'}\n\n{NOTES}\n"
    results.mkdir(parents=True, exist_ok=True)
    atomic_write_json(results / "learning.json", {"machine": machine_line(), "rows": list(rows)})
    atomic_write_bytes(results / "learning.md", f"# Learning\n\n```\n{text}```\n".encode())
    if shown:
        print(f"\n{text}")


def _mean_text(rates: Iterable[float]) -> str:
    found = list(rates)
    return f"{100 * mean(found):.1f} % over {len(found)}"


def _or_dash(value: float | None, factor: float, form: str) -> str:
    return "-" if value is None else form.format(factor * value)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

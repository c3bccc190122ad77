"""The default recipe beside baselines on the same tasks: success, robot time, the person's work, cycle time and force.

    make bench-tasks [TASKS=reach,peg_insert] [SEEDS=1]
    python -m benchmarks.tasks [--tasks ...] [--arms residual,bc] [--seeds N] [--steps N] [--jobs N]

A row is one task, arm and seed: demonstrations, practice of `--steps` control steps, and an evaluation without help on
the same fresh episodes for every arm. The arm `bc` does not practise; it is the best of several clones on validation
episodes. Finished rows of the same configuration are kept, and so are other rows in the results.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import ClassVar

from benchmarks.generality import RESULTS, TASKS, TaskTrial
from benchmarks.generality_table import kept_rows
from benchmarks.machine import machine_line
from benchmarks.options import add_row_options, options_and_overrides, seeds_of
from benchmarks.tasks_table import FILE, write_table
from benchmarks.trial import finished_rows, run_missing
from steadyhand.actor.evaluate import Evaluation
from steadyhand.actor.policy_runner import use_one_thread
from steadyhand.job import Job, open_job, quoted
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.pipeline.cloning import clone
from steadyhand.pipeline.evaluation import BASELINE, evaluate, trained_policy
from steadyhand.pipeline.recording import record
from steadyhand.report.evaluations import POLICY
from steadyhand.report.records import Row, read_run
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.supervise import train
from steadyhand.terminal import duration_text

RUNS = Path("runs") / "bench-tasks"
CLONED = "bc"  # the arm without practice
ARMS = {
    "residual": (),
    "rlpd": ("algo=rlpd",),
    "hg_dagger": ("algo=hg_dagger",),
    CLONED: ("device=none",),
    "ibrl": ("algo=ibrl", "device=none"),
}


@dataclass(frozen=True)
class ComparedTrial(TaskTrial):
    """One task, arm and seed of the comparison."""

    arms: ClassVar = ARMS


def main() -> int:
    """Run the missing rows, and print the table; return 0 if all rows exist."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tasks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--tasks", default=",".join(TASKS), help="comma-separated (%(default)s)")
    add_row_options(parser, ARMS, RUNS)
    parser.add_argument("--steps", type=int, default=5_000, help="control steps of practice (%(default)s)")
    parser.add_argument("--episodes", type=int, default=100, help="episodes of an evaluation (%(default)s)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of tasks.json and tasks.md")
    options, given = options_and_overrides(parser)
    words = (f"actor.max_env_steps={options.steps}", f"demo.eval_episodes={options.episodes}", *given)
    if options.row:
        task, arm, seed = options.row.split(":")
        return run_row(ComparedTrial(task, arm, int(seed), words), options.runs)
    tasks, arms = options.tasks.split(","), options.arms.split(",")
    for name, found, known in (("task", tasks, TASKS), ("arm", arms, tuple(ARMS))):
        if unknown := [one for one in found if one not in known]:
            parser.error(f"unknown {name} {unknown[0]}; choose among {', '.join(known)}")
    seeds = seeds_of(given, options.seeds)
    trials = [ComparedTrial(task, arm, seed, words) for seed in seeds for task in tasks for arm in arms]

    def command(trial: ComparedTrial) -> list[str]:
        begin = [sys.executable, "-m", "benchmarks.tasks", "--row", f"{trial.task}:{trial.arm}:{trial.seed}"]
        counts = ["--steps", str(options.steps), "--episodes", str(options.episodes)]
        return [*begin, *counts, "--runs", str(options.runs), *given]

    def ended(trial: ComparedTrial, row: Row | None, status: int) -> None:
        print(_line(row) if row else f"{trial.name}: failed with status {status}", flush=True)
        write_table(options.results, kept_rows(options.results, finished_rows(trials, options.runs), FILE))

    run_missing(trials, options.runs, options.jobs, command, ended)
    rows = finished_rows(trials, options.runs)
    print(f"\n{write_table(options.results, kept_rows(options.results, rows, FILE))}")
    return 0 if len(rows) == len(trials) else 1


def run_row(trial: ComparedTrial, runs: Path) -> int:
    """Run one row from the demonstrations to the evaluation, and write it."""
    use_one_thread()
    clock = MonotonicClock()
    began_ns = clock.now_ns()
    job = open_job([*trial.overrides, f"run_root={quoted(runs)}", f"run_name={trial.name}"])
    job.write_manifest()
    record(job)
    clones = trial.arm == CLONED
    policy = clone(job, [job.run.demos]) if clones else _practised(job)
    judged = evaluate(job, policy, job.settings.demo.eval_episodes, job.seed, who=BASELINE if clones else POLICY)
    row = {"machine": machine_line(), "task": trial.task, "arm": trial.arm, "seed": trial.seed}
    row |= {"wall_time_s": (clock.now_ns() - began_ns) / 1e9, **_figures(judged, read_run(job.run).practice)}
    trial.write_row(runs, row)
    return 0


def _practised(job: Job) -> SavedPolicy:
    train(job, shown=False)
    return trained_policy(job)


def _figures(judged: Evaluation, practice: Sequence[Row]) -> Row:
    """Return the numbers of a row, from the evaluation and the episodes of practice."""
    peaks = [row["peak_force_n"] for row in judged.rows if row["success"] and row.get("peak_force_n") is not None]
    last = practice[-1] if practice else {"env_steps": 0, "robot_minutes": 0.0}
    return {
        "successes": judged.successes,
        "episodes": judged.episodes,
        "cycle_s": judged.median_cycle_time_s,
        "peak_force_n": median(peaks) if peaks else None,
        "env_steps": last["env_steps"],
        "robot_minutes": last["robot_minutes"],
        "practice_episodes": len(practice),
        "helped_episodes": sum(bool(row["helped"]) for row in practice),
        "human_steps": sum(row["human_steps"] for row in practice),
    }


def _line(row: Row) -> str:
    found = f"{row['successes']} of {row['episodes']} in {duration_text(row['wall_time_s'])}"
    return f"{row['task']}, {row['arm']}, seed {row['seed']}: {found}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

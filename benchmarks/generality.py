"""The default recipe on tasks that have no numbers of their own, with and without corrections.

    make bench-generality [TASKS=reach,drawer-open-v3] [SEEDS=1]
    python -m benchmarks.generality [--tasks ...] [--seeds N] [--jobs N] [--arms corrected,alone]

A row is one task, arm and seed. It practises up to each of STEPS, and is evaluated there on the same fresh episodes,
unassisted, as is the policy before practice. Finished rows of the same configuration are kept, and so are the rows of
other tasks, arms and seeds in the results.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from benchmarks.generality_table import kept_rows, worst_window, write_table
from benchmarks.machine import machine_line
from benchmarks.options import add_row_options, options_and_overrides, seeds_of
from benchmarks.trial import Trial, finished_rows, run_missing
from steadyhand.actor.policy_runner import use_one_thread
from steadyhand.job import open_job, quoted
from steadyhand.pipeline.evaluation import evaluate, starting_policy, trained_policy
from steadyhand.pipeline.recording import record
from steadyhand.report.records import Row, read_run
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.supervise import train
from steadyhand.terminal import duration_text

RESULTS = Path(__file__).resolve().parent / "results"
RUNS = Path("runs") / "bench-generality"
STEPS = (2_000, 5_000, 10_000)
EPISODES = 100
MOCK = ("reach", "peg_insert", "pick_place", "wipe", "cable_route", "plug_insert")
META_WORLD = (
    "drawer-open-v3",
    "door-open-v3",
    "button-press-topdown-v3",
    "drawer-close-v3",
    "plate-slide-v3",
    "window-open-v3",
)
GYM = {
    "FetchReach-v4": (
        "task.entry_point=benchmarks.foreign:fetch_reach",
        "task.expert=benchmarks.foreign:FetchReachExpert",
        "task.max_steps=50",
    ),
    "FetchPickAndPlace-v4": (
        "task.entry_point=benchmarks.foreign:fetch_pick_and_place",
        "task.expert=benchmarks.foreign:FetchPickAndPlaceExpert",
        "task.max_steps=50",
    ),
    "PandaPickCube-v0": (
        "task.entry_point=benchmarks.foreign:panda_pick_cube",
        "task.expert=benchmarks.foreign:PandaPickCubeExpert",
        "task.max_steps=100",
    ),
}
TASKS = (*MOCK, *META_WORLD, *GYM)
ARMS = {"corrected": (), "alone": ("device=none",)}
SPARSE = ("task=gym", "task.reward=success", "task.terminate_on_success=true")


@dataclass(frozen=True)
class TaskTrial(Trial):
    """One task, arm and seed."""

    task: str
    arm: str
    seed: int
    given: tuple[str, ...]  # overrides from the command line
    arms: ClassVar[Mapping[str, tuple[str, ...]]] = ARMS  # overrides of each arm

    @cached_property
    def overrides(self) -> list[str]:
        """Return the configuration; nothing in it is about learning but what arm and command line say."""
        mine = [*_task(self.task, self.seed), *self.arms[self.arm], "actor.graduation=null", "demo.film_episodes=0"]
        return [*mine, "logging.console=off", "logging.level=warning", *self.given, f"seed={self.seed}"]

    @property
    def label(self) -> str:
        """Task, arm and seed."""
        return f"{self.task}-{self.arm}-{self.seed}"


def main() -> int:
    """Run the missing rows, and print the table; return 0 if all rows exist."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.generality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--tasks", default=",".join(TASKS), help="comma-separated (%(default)s)")
    add_row_options(parser, ARMS, RUNS)
    parser.add_argument("--steps", default=",".join(map(str, STEPS)), help="control steps of practice (%(default)s)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of generality.json and generality.md")
    options, given = options_and_overrides(parser)
    steps = tuple(int(word) for word in options.steps.split(","))
    if options.row:
        task, arm, seed = options.row.split(":")
        return _run_row(TaskTrial(task, arm, int(seed), tuple(given)), steps, options.runs)
    tasks, arms = options.tasks.split(","), options.arms.split(",")
    if unknown := [arm for arm in arms if arm not in ARMS]:
        parser.error(f"unknown arm {unknown[0]}; choose among {', '.join(ARMS)}")
    seeds = seeds_of(given, options.seeds)
    trials = [TaskTrial(task, arm, seed, tuple(given)) for seed in seeds for task in tasks for arm in arms]

    def command(trial: TaskTrial) -> list[str]:
        words = [sys.executable, "-m", "benchmarks.generality", "--steps", options.steps]
        return [*words, "--row", f"{trial.task}:{trial.arm}:{trial.seed}", "--runs", str(options.runs), *trial.given]

    def ended(trial: TaskTrial, row: Row | None, status: int) -> None:
        print(_line(row) if row else f"{trial.name}: failed with status {status}", flush=True)
        write_table(options.results, kept_rows(options.results, finished_rows(trials, options.runs)), EPISODES)

    run_missing(trials, options.runs, options.jobs, command, ended)
    rows = finished_rows(trials, options.runs)
    print(f"\n{write_table(options.results, kept_rows(options.results, rows), EPISODES)}")
    return 0 if len(rows) == len(trials) else 1


def _task(name: str, seed: int) -> tuple[str, ...]:
    if name in MOCK:
        return (f"task={name}",)
    if name in GYM:
        return (*SPARSE, *GYM[name])
    return (
        *SPARSE,
        "task.entry_point=benchmarks.foreign:meta_world",
        f"task.arguments={{name:{name},seed:{seed}}}",
        f"task.expert=benchmarks.foreign:{name.replace('-', '_')}",
        "task.max_steps=200",
    )


def _run_row(trial: TaskTrial, steps: Sequence[int], runs: Path) -> int:
    """Run one row stage by stage, and write it."""
    use_one_thread()
    clock = MonotonicClock()
    began_ns = clock.now_ns()
    judged = []
    for budget in steps:
        words = [*trial.overrides, f"actor.max_env_steps={budget}", f"run_root={quoted(runs)}"]
        job = open_job([*words, f"run_name={trial.name}"])
        job.write_manifest()
        record(job)
        train(job, shown=False)
        if not judged:
            judged.append(evaluate(job, starting_policy(job), EPISODES, job.seed))
        judged.append(evaluate(job, trained_policy(job), EPISODES, job.seed))
    practice = read_run(job.run).practice
    unassisted = [bool(one["success"]) for one in practice if not one["helped"]]
    row = {
        "machine": machine_line(),
        "task": trial.task,
        "arm": trial.arm,
        "seed": trial.seed,
        "steps": [0, *steps],
        "success": [one.success_rate for one in judged],
        "cycle_s": [one.median_cycle_time_s for one in judged],
        "unassisted": len(unassisted),
        "worst_window": worst_window(unassisted),
        "human_share": sum(one["human_steps"] for one in practice) / max(1, sum(one["steps"] for one in practice)),
        "wall_time_s": (clock.now_ns() - began_ns) / 1e9,
    }
    trial.write_row(runs, row)
    return 0


def _line(row: Row) -> str:
    curve = " -> ".join(f"{100 * value:.0f}" for value in row["success"])
    return f"{row['task']}, {row['arm']}, seed {row['seed']}: {curve} % in {duration_text(row['wall_time_s'])}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

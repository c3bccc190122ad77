"""`reach` on a Franka arm over FCI: demonstrations, practice with the defaults, evaluation, in real time on franky-sim.

    python -m benchmarks.franka_fci [--demos N] [--steps N] [--episodes N]

Writes `benchmarks/results/franka_fci.json`. The client is libfranka, the protocol is real, the arm is simulated: it
has joint friction, and neither reflexes nor a wrench of its own. `--steps 0` evaluates the clone of the
demonstrations. Readings may be 0.4 s old before the robot stops, for machines that other programs share.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_line
from steadyhand.actor.events import EpisodeEnded, Events
from steadyhand.actor.loop_times import LoopTimes
from steadyhand.actor.policy_runner import use_one_thread
from steadyhand.job import Job, open_job, quoted
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.pipeline.cloning import clone
from steadyhand.pipeline.evaluation import evaluate, trained_policy
from steadyhand.pipeline.recording import record
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.supervise import train
from steadyhand.terminal import say, table_text
from tests.franka_kit import FrankaSim, words

__all__ = ["main"]

FILE = Path(__file__).resolve().parent / "results" / "franka_fci.json"
CLOCK = MonotonicClock()


def open_run(folder: Path, address: str, demos: int, steps: int) -> Job:
    """Open a run of `reach` on the arm at an address."""
    given = ["task=reach", "robot=franka_fci", *words(address)]
    given += [f"demo.demos={demos}", f"actor.max_env_steps={max(steps, 1)}"]
    given += ["logging.console=off", "logging.level=warning"]
    job = open_job([*given, f"run_root={quoted(folder)}", "run_name=run"])
    job.write_manifest()
    return job


def timed(job: Job, events: Events) -> LoopTimes:
    """Measure the control periods of all episodes that `events` emit, and print every tenth episode."""
    times = LoopTimes(float(job.settings.composed["task"]["drive"]["control_period_s"]))
    times.follow(events)
    events.subscribe(EpisodeEnded, _say_episode)
    return times


def demonstrate(job: Job) -> dict[str, Any]:
    """Record the scripted expert's demonstrations; return its success and the control period."""
    events = Events()
    times, start_ns = timed(job, events), CLOCK.now_ns()
    manifest = record(job, events=events)
    return {
        "episodes": manifest.episodes,
        "successes": manifest.successes,
        "steps": manifest.steps,
        "wall_s": _seconds_since(start_ns),
        "period": _period(times),
    }


def practised(job: Job) -> dict[str, Any]:
    """Return what the actor measured of the practice, from its last episode: steps, time and control period."""
    path = next(job.run.actors.glob("*/actor.jsonl"))
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    last = rows[-1]
    return {
        "episodes": len(rows),
        "env_steps": last["env_steps"],
        "updates": last["updates"],
        "wall_s": round(last["wall_s"], 1),
        "unassisted_successes": sum(row["success"] and not row["helped"] for row in rows),
        "stops": dict(Counter(row["stop_reason"] for row in rows if row["stop_reason"])),
        "overruns": last["overruns"],
        "period_p99_ms": last["period_p99_ms"],
    }


def judge(job: Job, policy: SavedPolicy, episodes: int) -> dict[str, Any]:
    """Evaluate a policy unassisted; return its success and the control period."""
    events = Events()
    times, start_ns = timed(job, events), CLOCK.now_ns()
    found = evaluate(job, policy, episodes, job.seed, events=events)
    return {
        "episodes": found.episodes,
        "successes": found.successes,
        "success_rate": found.success_rate,
        "wilson_95": [found.wilson_low, found.wilson_high],
        "median_cycle_time_s": found.median_cycle_time_s,
        "stops": dict(Counter(row["stop_reason"] for row in found.rows if row["stop_reason"])),
        "wall_s": _seconds_since(start_ns),
        "period": _period(times),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all parts and write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--demos", type=int, default=20)
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--episodes", type=int, default=100)
    given = parser.parse_args(arguments)
    use_one_thread()
    sim = FrankaSim()
    try:
        with tempfile.TemporaryDirectory() as folder:
            job = open_run(Path(folder), sim.address, given.demos, given.steps)
            result: dict[str, Any] = {"machine": machine_line(), "demonstrations": demonstrate(job)}
            say(f"demonstrations: {result['demonstrations']}")
            if given.steps:
                train(job, shown=False)
                result["practice"] = practised(job)
                say(f"practice: {result['practice']}")
                policy = trained_policy(job)
            else:
                policy = clone(job, [job.run.demos])
            result["evaluation"] = judge(job, policy, given.episodes)
        cycles, commanded = sim.ask("cycles")
    finally:
        sim.kill()
    result["commands"] = {"cycles_1ms": cycles, "success_rate": commanded / cycles}
    atomic_write_json(FILE, result)
    rows = [[name, str(value)] for name, value in result["evaluation"].items()]
    say(table_text(["evaluation", ""], [*rows, ["commands in time", f"{result['commands']['success_rate']:.4f}"]]))
    return 0


def _period(times: LoopTimes) -> dict[str, Any]:
    found = times.period.percentiles()
    return {
        "steps": times.period.count,
        "p50_ms": found.p50_ms,
        "p99_ms": found.p99_ms,
        "max_ms": found.max_ms,
        "missed": times.missed,
    }


def _seconds_since(start_ns: int) -> float:
    return round((CLOCK.now_ns() - start_ns) / 1e9, 1)


def _say_episode(event: EpisodeEnded) -> None:
    if event.summary.episode_id % 10 == 9:
        say(f"  {event.summary.episode_id + 1} episodes")


if __name__ == "__main__":
    sys.exit(main())

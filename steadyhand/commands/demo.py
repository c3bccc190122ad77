"""The whole way on the mock robot: demonstrations, a baseline, practice with corrections, a judged policy, a report.

Learner and actor are two processes here as they are beside a real robot. The exit status is 0 only if the policy
reaches demo.required_success with nobody helping.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from steadyhand.actor.control_loop import INTERRUPTED
from steadyhand.actor.evaluate import Evaluation
from steadyhand.actor.events import EpisodeEnded, Events
from steadyhand.actor.policy_runner import use_one_thread
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.actor.waiting import pause
from steadyhand.children import Child, ChildError, ending
from steadyhand.commands.eval import evaluation_table
from steadyhand.demos import check_demos
from steadyhand.job import Job, new_job
from steadyhand.learner.config import LearnerConfig
from steadyhand.learner.device import resolve_device
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.policy_file import save_policy
from steadyhand.practice import train
from steadyhand.report.records import stages_path
from steadyhand.report.write import write_report
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.config import build
from steadyhand.session import (
    evaluate,
    fit_bc_baseline,
    record_demos,
    trained_policy,
)
from steadyhand.terminal import Stages, say

EPILOG = (
    "Everything is seeded from seed=. A demo that was ended early goes on with run_name=<its name>.\n"
    "example: steadyhand demo seed=0 task=peg_insert"
)
STAGES = 5
# Renderers that need no display; elsewhere than on Linux MuJoCo knows best.
RENDERERS = ("egl", "osmesa") if sys.platform == "linux" else ("",)


def add_options(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Run every stage; return 0 only for a policy that is good enough."""
    use_one_thread()
    with new_job(overrides) as job, StopFlag().on_signals() as stop:
        device = resolve_device(build(LearnerConfig, job.config["learner"], "learner").device)
        say(f"steadyhand demo: {job.run.path}, learning on {device}")
        start = partial(job.write_manifest, compute_device=str(device))
        work = RobotWork(partial(_demonstrate, start=start), train, partial(_judge, who="policy"))
        try:
            passed = run_stages(job, stop, work)
        except ChildError as error:
            sys.stderr.write(f"steadyhand demo: {error}\n")
            return 1
    say(f"\nreport: {job.run.path / 'report.html'}")
    return 0 if passed else 1


@dataclass(frozen=True)
class RobotWork:
    """The stages that move the robot; another way to it, such as ROS, does them in its own.

    Attributes:
        demonstrate: Records demonstrations into the run, and returns what they came to as one line.
        practise: Lets learner and actor train until there is enough.
        judge: Evaluates the run's policy, and leaves the result in the run folder.
    """

    demonstrate: Callable[[Job, StopFlag], str]
    practise: Callable[[Job, StopFlag], None]
    judge: Callable[[Job, SavedPolicy, StopFlag], Evaluation]


def run_stages(job: Job, stop: StopFlag, work: RobotWork) -> bool:
    """Run every stage; return whether the policy is good enough.

    Raises:
        ChildError: A process died, or hung.
    """
    demo = job.demo
    stages = Stages(STAGES, lambda name, wall_s: _note_stage(job, name, wall_s))
    with stages.stage("demonstrations", f"{demo.demos} scripted demonstrations"):
        say(f"      {work.demonstrate(job, stop)}")
        _go_on(stop)
        check_demos(job, [job.run.demos])
    with stages.stage("behaviour cloning", "Behaviour cloning on the same demonstrations, the baseline"):
        baseline = fit_bc_baseline(job, [job.run.demos], stop)
        _go_on(stop)
        save_policy(_baseline_path(job), baseline)
        before = _judge(job, baseline, stop, "bc")
    with stages.stage("practice", "Practice with corrections: learner and actor"):
        work.practise(job, stop)
        _go_on(stop)
    with stages.stage("evaluation", f"{demo.eval_episodes} fresh episodes, nobody helping"):
        policy = trained_policy(job)
        save_policy(job.run.path / "policy.safetensors", policy)
        after = work.judge(job, policy, stop)
        _go_on(stop)
    with stages.stage("film", "The same episodes before and after, on film"):
        no_film = _film(job, stop)
    summary = write_report(job.run, no_film)
    say(f"\n{evaluation_table({'behaviour cloning': before, 'after practice': after})}\n")
    verdict = "passed" if summary["passed"] else "FAILED"
    say(f"{verdict}: {summary['success_rate']:.1%} succeeded, {demo.required_success:.0%} required")
    return bool(summary["passed"])


def _demonstrate(job: Job, stop: StopFlag, start: Callable[[], object]) -> str:
    """Record what is missing; `start` is called when nothing can be refused any more."""
    manifest = record_demos(job, stop, accepted=start)
    return f"{manifest.successes} successes in {manifest.episodes} attempts, {manifest.steps} steps"


def _judge(job: Job, policy: SavedPolicy, stop: StopFlag, who: str) -> Evaluation:
    def tick(event: EpisodeEnded) -> None:
        done = event.summary.episode_id + 1
        if done % 50 == 0 and event.summary.stop_reason != INTERRUPTED:
            say(f"      {done}/{job.demo.eval_episodes} episodes")

    events = Events()
    events.subscribe(EpisodeEnded, tick)
    result = evaluate(job, policy, job.demo.eval_episodes, job.seed, stop, events, who)
    _go_on(stop)
    return result


def _film(job: Job, stop: StopFlag) -> str:
    """Film both policies; return why not, or "".

    In a process of its own: MuJoCo chooses its renderer when it is imported, and one that does not work may take
    more down than the film.
    """
    if job.demo.film_episodes == 0:
        return "demo.film_episodes is 0"
    reason = ""
    for renderer in [os.environ["MUJOCO_GL"]] if "MUJOCO_GL" in os.environ else RENDERERS:
        words = ["--before", str(_baseline_path(job)), *job.child_overrides()]
        film = Child("film", words, job.run.path / "film.log", threads=1, environment={"MUJOCO_GL": renderer})
        with ending(film, job.demo.grace_s):
            clock = MonotonicClock()
            until_ns = clock.now_ns() + round(job.demo.stall_s * 1e9)
            while film.status is None and clock.now_ns() < until_ns:
                _go_on(stop)
                pause(clock)
        if film.status == 0:
            return ""
        reason = "".join(film.tail(1)).removeprefix("steadyhand film: ") or film.ending_text()
    say(f"      no film: {reason}")
    return reason


def _baseline_path(job: Job) -> Path:
    return job.run.checkpoints / "bc.safetensors"


def _go_on(stop: StopFlag) -> None:
    """End the demo when somebody asked for it."""
    if stop():
        raise KeyboardInterrupt


def _note_stage(job: Job, name: str, wall_s: float) -> None:
    if not job.run.started:
        return  # it was refused
    with stages_path(job.run).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"name": name, "wall_time_s": wall_s}) + "\n")

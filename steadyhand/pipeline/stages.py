"""The stages of the demo: demonstrations, a baseline, practice with corrections, an evaluation, a film, a report."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

from steadyhand.actor.control_loop import INTERRUPTED
from steadyhand.actor.evaluate import Evaluation
from steadyhand.actor.events import EpisodeEnded, Events
from steadyhand.actor.pause import pause
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.demo_compat import check_demos
from steadyhand.job import Job
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.pipeline.cloning import clone
from steadyhand.pipeline.evaluation import BASELINE, BEFORE, baseline_path, evaluate, starting_policy, trained_policy
from steadyhand.pipeline.recording import record
from steadyhand.policy_file import save_policy
from steadyhand.report.evaluations import POLICY, evaluation_table
from steadyhand.report.records import stages_path
from steadyhand.report.write import write_report
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.subprocesses import Child, ending
from steadyhand.terminal import Stages, say

__all__ = ["RobotWork", "demonstrate", "judge", "run_stages"]

STAGES = 5
# Renderers that need no display. On other systems than Linux, MuJoCo chooses.
RENDERERS = ("egl", "osmesa") if sys.platform == "linux" else ("",)


@dataclass(frozen=True)
class RobotWork:
    """The stages that move the robot. Another connection to the robot, such as ROS, brings its own.

    Attributes:
        demonstrate: Records demonstrations into the run, and returns the result as one line.
        practise: Runs learner and actor until practice ends.
        judge: Evaluates a policy on the fresh episodes of the demo, and keeps the result in the run folder under a
            name: `bc`, `start` or `policy`.
    """

    demonstrate: Callable[[Job, StopFlag], str]
    practise: Callable[[Job, StopFlag], None]
    judge: Callable[[Job, SavedPolicy, StopFlag, str], Evaluation]


def run_stages(job: Job, stop: StopFlag, work: RobotWork) -> bool:
    """Run every stage; return whether the policy is good enough.

    Raises:
        ChildError: A process died or hung.
    """
    demo = job.settings.demo
    stages = Stages(STAGES, lambda name, wall_s: _note_stage(job, name, wall_s))
    with stages.stage("demonstrations", f"{demo.demos} scripted demonstrations"):
        say(f"      {work.demonstrate(job, stop)}")
        go_on(stop)
        check_demos(job, [job.run.demos])
    with stages.stage("behaviour cloning", "Behaviour cloning on the same demonstrations, the baseline"):
        baseline = clone(job, [job.run.demos], stop)
        go_on(stop)
        save_policy(baseline_path(job), baseline)
        cloned = work.judge(job, baseline, stop, BASELINE)
    with stages.stage("practice", "Practice with corrections: learner and actor"):
        work.practise(job, stop)
        go_on(stop)
    with stages.stage("evaluation", f"{demo.eval_episodes} fresh episodes, unassisted: before and after practice"):
        before = work.judge(job, starting_policy(job), stop, BEFORE)
        policy = trained_policy(job)
        save_policy(job.run.path / "policy.safetensors", policy)
        after = work.judge(job, policy, stop, POLICY)
        go_on(stop)
    with stages.stage("film", "The same episodes before and after, on film"):
        no_film = _film(job, stop)
    summary = write_report(job.run, no_film)
    judged = {"best clone of the demonstrations": cloned, "before practice": before, "after practice": after}
    say(f"\n{evaluation_table(judged)}\n")
    verdict = "passed" if summary["passed"] else "FAILED"
    say(
        f"{verdict}: {summary['success_rate']:.1%} succeeded, {demo.required_success:.0%} required; practice added "
        f"{100 * summary['practice_gain']:+.1f} points to the better of the two policies before it"
    )
    return bool(summary["passed"])


def demonstrate(job: Job, stop: StopFlag, start: Callable[[], object]) -> str:
    """Record the missing demonstrations; `start` is called once the start can no longer be refused."""
    manifest = record(job, stop, accepted=start)
    return f"{manifest.successes} successes in {manifest.episodes} attempts, {manifest.steps} steps"


def judge(job: Job, policy: SavedPolicy, stop: StopFlag, who: str) -> Evaluation:
    """Evaluate a policy on the fresh episodes of the demo, and keep the result as the stage `who`."""

    def tick(event: EpisodeEnded) -> None:
        done = event.summary.episode_id + 1
        if done % 50 == 0 and event.summary.stop_reason != INTERRUPTED:
            say(f"      {done}/{job.settings.demo.eval_episodes} episodes")

    events = Events()
    events.subscribe(EpisodeEnded, tick)
    result = evaluate(job, policy, job.settings.demo.eval_episodes, job.seed, stop, events, who)
    go_on(stop)
    return result


def _film(job: Job, stop: StopFlag) -> str:
    """Film both policies; return the reason if there is no film, else "".

    The film is made in its own process. MuJoCo chooses its renderer on import, and a broken renderer may crash the
    process.
    """
    if job.settings.demo.film_episodes == 0:
        return "demo.film_episodes is 0"
    reason = ""
    for renderer in [os.environ["MUJOCO_GL"]] if "MUJOCO_GL" in os.environ else RENDERERS:
        words = ["--before", str(baseline_path(job)), *job.child_overrides()]
        film = Child("film", words, job.run.path / "film.log", threads=1, environment={"MUJOCO_GL": renderer})
        with ending(film, job.settings.demo.grace_s):
            clock = MonotonicClock()
            until_ns = clock.now_ns() + round(job.settings.demo.stall_s * 1e9)
            while film.status is None and clock.now_ns() < until_ns:
                go_on(stop)
                pause(clock)
        if film.status == 0:
            return ""
        reason = "".join(film.tail(1)).removeprefix("steadyhand film: ") or film.ending_text()
    say(f"      no film: {reason}")
    return reason


def go_on(stop: StopFlag) -> None:
    """Raise KeyboardInterrupt if the user asked the demo to end."""
    if stop():
        raise KeyboardInterrupt


def _note_stage(job: Job, name: str, wall_s: float) -> None:
    if not job.run.started:
        return  # it was refused
    with stages_path(job.run).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"name": name, "wall_time_s": wall_s}) + "\n")

"""The jobs of recording, training and evaluation: the only ones that need torch and the learner's code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from actor_ros.hardware import RosHardware
from steadyhand.actor.evaluate import Evaluation
from steadyhand.actor.events import Events
from steadyhand.actor.online_run import OnlineRun
from steadyhand.actor.policy_runner import use_one_thread
from steadyhand.actor.supervision.motion_enable import MotionEnable
from steadyhand.actor.supervision.supervised_env import SupervisedEnv
from steadyhand.actor.supervision.supervised_operator import SupervisedOperator
from steadyhand.actor_id import claimed_actor
from steadyhand.job import Job, seed_for
from steadyhand.pipeline.evaluation import chosen_policy, evaluate_in
from steadyhand.pipeline.practice import ending_text, practise
from steadyhand.pipeline.recording import record_in
from steadyhand.pipeline.recording_dialogue import RecordingLines, recording_dialogue
from steadyhand.robot_envs.devices.make import held_by_person
from steadyhand.robot_envs.devices.operator import NoOperator
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.make import make_corrector, make_demonstrator
from steadyhand.runtime.logging import get_logger
from steadyhand.transport.demo_set import mean_steps

__all__ = ["LearningJobs"]

logger = get_logger("ros.lessons")


class LearningJobs:
    """Demonstration, practice and evaluation in an open environment.

    Args:
        job: The run.
        cell: The hardware.
        motion: The operator's motion enable.
        events: Receives the events of the loop.
        ending: Returns whether to end.
        show: Called with the `OnlineRun`, whose status may be read while practice runs.
    """

    def __init__(
        self,
        job: Job,
        cell: RosHardware,
        motion: MotionEnable,
        events: Events,
        ending: Callable[[], bool],
        show: Callable[[OnlineRun], None],
    ) -> None:
        use_one_thread()
        self._job, self._cell, self._ending = job, cell, ending
        self._motion, self._events, self._show = motion, events, show

    def run(self, kind: str, env: RobotEnv, taught: SupervisedEnv) -> str:
        """Run one of executables.WORKS except `run`, and return the result as one line."""
        if kind == "evaluate":
            return self._evaluate(taught)
        shown = self._demonstrate(env, taught) if kind in ("teach", "demonstrate") else ""
        if kind == "demonstrate" or self._ending():
            return shown
        if shown:
            logger.info(shown)
        return self._practise(env, taught)

    def _demonstrate(self, env: RobotEnv, taught: SupervisedEnv) -> str:
        job, cell = self._job, self._cell
        shows = make_demonstrator(job.settings.composed, env, seed_for(job.seed, "demonstrator"), cell.device)
        with closing(SupervisedOperator(shows, self._motion)) as demonstrator, self._dialogue(taught):
            manifest = record_in(job, taught, demonstrator, self._ending, self._events)
        return f"{manifest.successes} demonstrations in {manifest.episodes} attempts, {manifest.steps} steps"

    @contextmanager
    def _dialogue(self, taught: SupervisedEnv) -> Iterator[None]:
        """Wait for the person and count down before every attempt, as `steadyhand record` does."""
        settings, events = self._job.settings, self._events
        if not held_by_person(settings.composed["device"]):
            yield
            return
        dialogue = settings.demo.dialogue
        lines = RecordingLines(dialogue, events)
        try:
            with recording_dialogue(dialogue, taught, self._motion, events):
                yield
        finally:
            events.unsubscribe(lines)

    def _evaluate(self, taught: SupervisedEnv) -> str:
        job, bystander = self._job, SupervisedOperator(NoOperator(), self._motion)
        episodes, ends = job.settings.demo.eval_episodes, (self._ending, self._events)
        who, policy = chosen_policy(job)
        return _verdict(evaluate_in(job, taught, bystander, policy, episodes, job.seed, *ends, who=who))

    def _practise(self, env: RobotEnv, taught: SupervisedEnv) -> str:
        job, cell = self._job, self._cell
        seed, usual_steps = seed_for(job.seed, "corrector"), mean_steps(job.run.demos)
        helps = make_corrector(job.settings.composed, env, seed, cell.device, usual_steps)
        claim = claimed_actor(job.run, job.actor_id)
        with claim, closing(SupervisedOperator(helps, self._motion)) as corrector:
            return ending_text(practise(job, taught, corrector, self._ending, self._show, events=self._events))


def _verdict(result: Evaluation) -> str:
    return (
        f"{result.success_rate:.1%} of {result.episodes} episodes succeeded "
        f"(95 % interval {result.wilson_low:.1%} to {result.wilson_high:.1%})"
    )

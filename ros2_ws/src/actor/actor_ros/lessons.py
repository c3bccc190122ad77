"""The works that learn, or judge what was learnt: the only ones that need torch and the learner's code."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from actor_ros.announcer import Announcer
from actor_ros.cell import Cell
from actor_ros.guided_operator import GuidedOperator
from actor_ros.permission import Permission
from actor_ros.person_env import PersonEnv
from steadyhand.actor.control_loop import EpisodeSummary
from steadyhand.actor.evaluate import Evaluation
from steadyhand.actor.policy_runner import use_one_thread
from steadyhand.actor.training import Training
from steadyhand.commands.act import ending_text, practise
from steadyhand.identity import claimed_actor
from steadyhand.job import Job, seed_for
from steadyhand.robot_envs.devices.operator import NoOperator
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.make import make_corrector, make_demonstrator
from steadyhand.runtime.logging import get_logger
from steadyhand.session import evaluate_in, record_demos_in, trained_policy

__all__ = ["Lessons"]

logger = get_logger("ros.lessons")


class Lessons:
    """Shows, practises and judges, in an environment that is open.

    Args:
        job: What to do it on.
        cell: What is driven.
        permission: What the person says.
        announcer: Tells everybody.
        ending: Whether to end.
        on_episode: Told about every episode that is shown or judged.
        show: Gets what may be asked for its status while practice runs.
    """

    def __init__(
        self,
        job: Job,
        cell: Cell,
        permission: Permission,
        announcer: Announcer,
        ending: Callable[[], bool],
        on_episode: Callable[[EpisodeSummary], None],
        show: Callable[[Training], None],
    ) -> None:
        use_one_thread()
        self._job, self._cell, self._ending = job, cell, ending
        self._permission, self._announcer = permission, announcer
        self._on_episode, self._show = on_episode, show

    def run(self, kind: str, env: RobotEnv, taught: PersonEnv) -> str:
        """Do one of executables.WORKS but `run`, and return what it came to as one line."""
        if kind == "evaluate":
            return self._evaluate(taught)
        shown = self._demonstrate(env, taught) if kind in ("teach", "demonstrate") else ""
        if kind == "demonstrate" or self._ending():
            return shown
        if shown:
            logger.info(shown)
        return self._practise(env, taught)

    def _demonstrate(self, env: RobotEnv, taught: PersonEnv) -> str:
        job, cell = self._job, self._cell
        shows = make_demonstrator(job.config, env, seed_for(job.seed, "demonstrator"), cell.device)
        with closing(GuidedOperator(shows, self._permission, self._announcer)) as demonstrator:
            manifest = record_demos_in(job, taught, demonstrator, self._ending, self._on_episode)
        return f"{manifest.successes} demonstrations in {manifest.episodes} attempts, {manifest.steps} steps"

    def _evaluate(self, taught: PersonEnv) -> str:
        job, bystander = self._job, GuidedOperator(NoOperator(), self._permission, self._announcer)
        episodes, ends = job.demo.eval_episodes, (self._ending, self._on_episode)
        policy = trained_policy(job)
        return _verdict(evaluate_in(job, taught, bystander, policy, episodes, job.seed, *ends, who="policy"))

    def _practise(self, env: RobotEnv, taught: PersonEnv) -> str:
        job, cell, permission, announcer = self._job, self._cell, self._permission, self._announcer
        helps = make_corrector(job.config, env, seed_for(job.seed, "corrector"), cell.device)
        claim = claimed_actor(job.run, job.actor_id)
        with claim, closing(GuidedOperator(helps, permission, announcer)) as corrector:
            return ending_text(practise(job, taught, corrector, self._ending, self._show))


def _verdict(result: Evaluation) -> str:
    return (
        f"{result.success_rate:.1%} of {result.episodes} episodes succeeded "
        f"(95 % interval {result.wilson_low:.1%} to {result.wilson_high:.1%})"
    )

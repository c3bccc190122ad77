"""What the actor does while it is active: practise, show, be judged, or deploy, with the core's own code."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from actor.config import ActorConfig
from actor.control_loop import EpisodeSummary
from actor.deploy import deploy
from actor.env_schema import env_schema
from actor.evaluate import Evaluation
from actor.onnx_policy import OnnxPolicy
from actor.onnx_runner import OnnxRunner
from actor.policy_runner import use_one_thread
from actor.training import Training
from actor_ros.announcer import Announcer
from actor_ros.cell import Cell
from actor_ros.executables import RUN
from actor_ros.guided_operator import GuidedOperator
from actor_ros.permission import Permission
from actor_ros.person_env import PersonEnv
from robot_envs.devices.operator import NoOperator
from robot_envs.env import RobotEnv
from robot_envs.make import make_corrector, make_demonstrator, make_env, make_onlooker
from runtime.config import build
from runtime.logging import get_logger
from runtime.run_folder import atomic_write_json
from runtime.run_lock import run_lock
from steadyhand.commands.act import ending_text, practise
from steadyhand.commands.run import result_text
from steadyhand.job import Job, seed_for
from steadyhand.report.records import loop_path
from steadyhand.session import evaluate_in, record_demos_in, trained_policy

__all__ = ["Work"]

logger = get_logger("ros.work")


class Work:
    """One activation of the actor.

    Args:
        job: What to do it on.
        kind: One of executables.WORKS.
        cell: What is driven.
        permission: What the person says.
        announcer: Tells everybody.
        ending: Whether to end.
        policy: What is deployed, if that is the work.
    """

    def __init__(
        self,
        job: Job,
        kind: str,
        cell: Cell,
        permission: Permission,
        announcer: Announcer,
        ending: Callable[[], bool],
        policy: OnnxPolicy | None = None,
    ) -> None:
        self._job, self._kind, self._cell = job, kind, cell
        self._permission, self._announcer, self._ending = permission, announcer, ending
        self._policy = policy
        self.env: PersonEnv | None = None
        self.training: Training | None = None

    def run(self) -> str:
        """Work to the end, and return what it came to as one line.

        Raises:
            EndedError: It was to end before anything began.
            RobotError: The robot, or what belongs to it, is not there, or cannot do what was asked.
        """
        use_one_thread()
        job, cell = self._job, self._cell
        job.write_manifest(gains=cell.gains)
        env = make_env(job.config, job.seed, cell.hardware())
        assert isinstance(env, RobotEnv)
        with closing(env):
            self.env = PersonEnv(env, self._permission, self._announcer, self._ending)
            try:
                return self._do(env, self.env)
            finally:
                self._write_times(self.env)
                self.env = None

    def _do(self, env: RobotEnv, taught: PersonEnv) -> str:
        if self._kind == "evaluate":
            return self._evaluate(taught)
        if self._kind == RUN:
            return self._deploy(env, taught)
        shown = self._demonstrate(env, taught) if self._kind in ("teach", "demonstrate") else ""
        if self._kind == "demonstrate" or self._ending():
            return shown
        if shown:
            logger.info(shown)
        return self._practise(env, taught)

    def _demonstrate(self, env: RobotEnv, taught: PersonEnv) -> str:
        job, cell = self._job, self._cell
        shows = make_demonstrator(job.config, env, seed_for(job.seed, "demonstrator"), cell.device)
        with closing(GuidedOperator(shows, self._permission, self._announcer)) as demonstrator:
            manifest = record_demos_in(job, taught, demonstrator, self._ending, _tell)
        return f"{manifest.successes} demonstrations in {manifest.episodes} attempts, {manifest.steps} steps"

    def _evaluate(self, taught: PersonEnv) -> str:
        job, bystander = self._job, GuidedOperator(NoOperator(), self._permission, self._announcer)
        episodes, ends = job.demo.eval_episodes, (self._ending, _tell)
        policy = trained_policy(job)
        return _verdict(evaluate_in(job, taught, bystander, policy, episodes, job.seed, *ends, who="policy"))

    def _deploy(self, env: RobotEnv, taught: PersonEnv) -> str:
        job, schema = self._job, env_schema(env)
        assert self._policy is not None
        runner = OnnxRunner(self._policy, schema, job.config["task"])
        release_hold_s = build(ActorConfig, job.config["actor"], "actor").release_hold_s
        looks_on = make_onlooker(job.config, env, self._cell.device)
        with closing(GuidedOperator(looks_on, self._permission, self._announcer)) as onlooker:
            ends = (self._ending, _tell)
            return result_text(deploy(taught, schema, runner, onlooker, release_hold_s, None, job.seed, *ends))

    def _practise(self, env: RobotEnv, taught: PersonEnv) -> str:
        job, cell, permission, announcer = self._job, self._cell, self._permission, self._announcer
        helps = make_corrector(job.config, env, seed_for(job.seed, "corrector"), cell.device)
        with run_lock(job.run.path, "actor"), closing(GuidedOperator(helps, permission, announcer)) as corrector:
            return ending_text(practise(job, taught, corrector, self._ending, self._show))

    def _show(self, training: Training) -> None:
        self.training = training

    def _write_times(self, taught: PersonEnv) -> None:
        """Leave how regular the loop was beside the run's other figures."""
        times = taught.times
        if times.period.count:
            figures = times.period.percentiles()._asdict()
            facts = {**figures, "periods": times.period.count, "missed": times.missed, "bursts": times.bursts}
            atomic_write_json(loop_path(self._job.run, self._kind), facts)


def _tell(summary: EpisodeSummary) -> None:
    """Log an episode that is shown or judged: whoever waits sees that it goes on."""
    outcome = "success" if summary.success else summary.stop_reason or "no success"
    logger.info("episode %d: %s, %d steps", summary.episode_id + 1, outcome, summary.steps)


def _verdict(result: Evaluation) -> str:
    return (
        f"{result.success_rate:.1%} of {result.episodes} episodes succeeded "
        f"(95 % interval {result.wilson_low:.1%} to {result.wilson_high:.1%})"
    )

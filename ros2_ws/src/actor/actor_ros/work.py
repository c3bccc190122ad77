"""What the actor does while it is active: practise, show, be judged, or deploy, with the core's own code."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from actor_ros.announcer import Announcer
from actor_ros.cell import Cell
from actor_ros.executables import RUN
from actor_ros.guided_operator import GuidedOperator
from actor_ros.permission import Permission
from actor_ros.person_env import PersonEnv
from steadyhand.actor.config import ActorConfig
from steadyhand.actor.control_loop import EpisodeSummary
from steadyhand.actor.deploy import deploy
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.onnx_policy import OnnxPolicy
from steadyhand.actor.onnx_runner import OnnxRunner
from steadyhand.commands.run import result_text
from steadyhand.identity import check_robot
from steadyhand.job import Job
from steadyhand.report.records import loop_path
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.make import make_env, make_onlooker
from steadyhand.runtime.config import build
from steadyhand.runtime.logging import get_logger
from steadyhand.runtime.run_folder import atomic_write_json

if TYPE_CHECKING:
    from actor_ros.lessons import Lessons
    from steadyhand.actor.training import Training

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
        lessons = None if self._kind == RUN else self._make_lessons()
        job, cell = self._job, self._cell
        job.write_manifest(gains=cell.gains)
        env = make_env(job.config, job.seed, cell.hardware())
        assert isinstance(env, RobotEnv)
        with closing(env):
            self.env = PersonEnv(env, self._permission, self._announcer, self._ending)
            try:
                return self._deploy(env, self.env) if lessons is None else lessons.run(self._kind, env, self.env)
            finally:
                self._write_times(self.env)
                self.env = None

    def _make_lessons(self) -> Lessons:
        try:
            # Torch and the learner's code: whoever deploys a finished policy does without them.
            from actor_ros.lessons import Lessons
        except ImportError as error:
            raise RuntimeError(f"work {self._kind}: {error}; install it, or deploy a policy with work {RUN}") from error
        return Lessons(
            self._job, self._cell, self._permission, self._announcer, self._ending, _tell, self._show_training
        )

    def _deploy(self, env: RobotEnv, taught: PersonEnv) -> str:
        job, schema = self._job, env_schema(env)
        assert self._policy is not None
        check_robot(self._policy.description.identity, job.config, "policy")
        runner = OnnxRunner(self._policy, schema, job.config["task"])
        hand_over = build(ActorConfig, job.config["actor"], "actor").hand_over
        looks_on = make_onlooker(job.config, env, self._cell.device)
        with closing(GuidedOperator(looks_on, self._permission, self._announcer)) as onlooker:
            ends = (self._ending, _tell)
            return result_text(deploy(taught, schema, runner, onlooker, hand_over, None, job.seed, *ends))

    def _show_training(self, training: Training) -> None:
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

"""The actor's jobs while it is active: recording, practice, evaluation, deployment or replay, with the core's code."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from actor_ros.executables import REPLAY, RUN
from actor_ros.hardware import RosHardware
from actor_ros.replay_job import Recording, replay_in
from steadyhand.actor.control_loop import INTERRUPTED
from steadyhand.actor.events import EpisodeEnded, Events
from steadyhand.actor.loop_times import LoopTimes
from steadyhand.actor.onnx_policy import OnnxPolicy
from steadyhand.actor.supervision.motion_enable import MotionEnable
from steadyhand.actor.supervision.supervised_env import SupervisedEnv
from steadyhand.actor.supervision.supervised_operator import SupervisedOperator
from steadyhand.actor_id import check_robot
from steadyhand.job import RobotJob, with_learner
from steadyhand.person import wants_page
from steadyhand.pipeline.deployment import deploy_policy, deployment_text, runner_for_policy
from steadyhand.pipeline.environment import has_references
from steadyhand.report.records import loop_path
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.make import make_env, make_onlooker
from steadyhand.runtime.logging import get_logger
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.transport.record import Phase

if TYPE_CHECKING:
    from actor_ros.learning_jobs import LearningJobs
    from steadyhand.actor.online_run import OnlineRun

__all__ = ["ActorJob"]

BY_SERVICE, BY_PAGE = "actor/enable", " or the operator page"

logger = get_logger("ros.work")


class ActorJob:
    """One activation of the actor.

    Args:
        job: The run.
        kind: The kind of work, one of executables.WORKS.
        cell: The hardware.
        motion: The operator's motion enable.
        events: Receives the events of the loop.
        ending: Returns whether to end.
        policy: The policy to deploy, if that is the work.
        recording: The episode to replay, if that is the work.
    """

    def __init__(
        self,
        job: RobotJob,
        kind: str,
        cell: RosHardware,
        motion: MotionEnable,
        events: Events,
        ending: Callable[[], bool],
        policy: OnnxPolicy | None = None,
        recording: Recording | None = None,
    ) -> None:
        self._job, self._kind, self._cell = job, kind, cell
        self._motion, self._events, self._ending = motion, events, ending
        self._policy, self._recording = policy, recording
        self.env: SupervisedEnv | None = None
        self.times: LoopTimes | None = None
        self.training: OnlineRun | None = None

    def run(self) -> str:
        """Run the job to its end, and return the result as one line.

        Raises:
            RobotError: The robot or a part of its cell is missing, or cannot do the request.
            CalibrationError: A camera was moved; nothing has moved the arm.
        """
        lessons = None if self._kind in (RUN, REPLAY) else self._make_lessons()
        job, cell = self._job, self._cell
        job.write_manifest(gains=cell.gains)
        env = make_env(job.settings.composed, job.seed, cell.hardware())
        assert isinstance(env, RobotEnv)
        with closing(env):
            self._check_cameras(env)
            how = BY_SERVICE + (BY_PAGE if wants_page(job.settings) else "")
            self.env = SupervisedEnv(env, self._motion, self._ending, self._events, how)
            self.times = LoopTimes(env.control_period_s)
            self.times.follow(self._events)
            self._events.subscribe(EpisodeEnded, self._log_episode)
            try:
                if lessons is not None:
                    return lessons.run(self._kind, env, self.env)
                return self._replay(env, self.env) if self._kind == REPLAY else self._deploy(env, self.env)
            finally:
                self._events.unsubscribe(self.times)
                self._events.unsubscribe(self)
                self._write_times(self.times)
                self.env = self.times = None

    def _check_cameras(self, env: RobotEnv) -> None:
        """Refuse the job if a camera with a reference was moved. Nothing has moved the arm yet.

        Raises:
            CalibrationError: A camera was moved.
        """
        config = self._job.settings.composed
        if has_references(config):
            from steadyhand.pipeline.camera_check import CameraCheck  # needs OpenCV

            CameraCheck(config, self._cell.whole_picture).guard(env)

    def _make_lessons(self) -> LearningJobs:
        try:
            # These import torch and the learner, which a machine that deploys a policy does not have.
            from actor_ros.learning_jobs import LearningJobs

            job = with_learner(self._job)
        except ImportError as error:
            raise RuntimeError(f"work {self._kind}: {error}; install it, or deploy a policy with work {RUN}") from error
        return LearningJobs(job, self._cell, self._motion, self._events, self._ending, self._show_training)

    def _deploy(self, env: RobotEnv, taught: SupervisedEnv) -> str:
        settings = self._job.settings
        assert self._policy is not None
        check_robot(self._policy.description.identity, settings.composed, "policy")
        runner = runner_for_policy(settings, self._policy, env)
        looks_on = make_onlooker(settings.composed, env, self._cell.device)
        with closing(SupervisedOperator(looks_on, self._motion)) as onlooker:
            return deployment_text(deploy_policy(settings, taught, onlooker, runner, None, self._ending, self._events))

    def _replay(self, env: RobotEnv, taught: SupervisedEnv) -> str:
        assert self._recording is not None
        return replay_in(self._job, self._cell, self._motion, self._recording, env, taught, self._ending)

    def _show_training(self, training: OnlineRun) -> None:
        self.training = training

    def _write_times(self, times: LoopTimes) -> None:
        """Write the loop's period statistics beside the run's other metrics."""
        if times.period.count:
            figures = times.period.percentiles()._asdict()
            facts = {**figures, "periods": times.period.count, "missed": times.missed, "bursts": times.bursts}
            atomic_write_json(loop_path(self._job.run, self._kind), facts)

    def _log_episode(self, event: EpisodeEnded) -> None:
        """Log a demonstration or an episode of an evaluation; training has its own console."""
        summary = event.summary
        if summary.phase != Phase.TRAIN and summary.stop_reason != INTERRUPTED:
            outcome = "success" if summary.success else summary.stop_reason or "no success"
            logger.info("episode %d: %s, %d steps", summary.episode_id + 1, outcome, summary.steps)

"""Training in one process: the actor steps a simulated environment, and the learner trains while the actor waits."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium

from steadyhand.actor.config import ActorConfig
from steadyhand.actor.console import make_console
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.episode_metrics import read_rows
from steadyhand.actor.events import Events
from steadyhand.actor.online_run import OnlineRun
from steadyhand.actor.online_settings import Hooks, OnlineSettings, Recording
from steadyhand.actor.pause import pause
from steadyhand.actor.session_log import kept_if_used, open_session
from steadyhand.actor.training_summary import TrainingSummary
from steadyhand.actor_id import claimed_actor
from steadyhand.demo_compat import action_gains, check_demos
from steadyhand.earlier.note import write_earlier
from steadyhand.earlier.taking import take_earlier
from steadyhand.exporters.exports import exports
from steadyhand.exporters.practice import PracticeExport
from steadyhand.face.configuration import run_overrides
from steadyhand.face.environments import EnvSource
from steadyhand.face.policy import Policy
from steadyhand.face.recording import expert_overrides
from steadyhand.job import Job, new_job, seed_for
from steadyhand.learner.learner import Learner
from steadyhand.learner.learner_settings import Demonstrations
from steadyhand.learner.prior import PriorData
from steadyhand.pipeline.learning import LEARNER, learner_settings
from steadyhand.pipeline.recording import record_in
from steadyhand.robot_envs.devices.make import held_by_person, input_name
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.robot_envs.make import TaughtEnv, make_corrector, make_demonstrator
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.run_folder import new_run_id
from steadyhand.runtime.run_lock import run_lock
from steadyhand.transport.demo_set import is_demo_set, mean_steps, refuse_foreign
from steadyhand.transport.local_uplink import LocalUplink
from steadyhand.transport.log import LogReader

__all__ = ["Trained", "train"]


@dataclass(frozen=True)
class Trained:
    """The result of training.

    Attributes:
        run: The run folder: logs, checkpoints, metrics.
        summary: Episodes, steps, updates and success of training.
    """

    run: Path
    summary: TrainingSummary

    @property
    def policy(self) -> Policy:
        """The newest policy of the run."""
        return Policy.load(self.run)


def train(
    env: gymnasium.Env[Any, Any] | str | None = None,
    *overrides: str,
    run: str | Path | None = None,
    expert: type[Any] | None = None,
    demos: bool = True,
) -> Trained:
    """Train a policy in this process, in lockstep and without sockets.

    The environment must be simulated, such as a gymnasium environment or the mock robot, so that its time stands still
    while the learner works. Train on a real robot with `steadyhand learn` and `steadyhand act`.

    With an expert or an operator's device, `demo.demos` demonstrations are recorded first, and training has
    corrections. Without demonstrations the first `learner.start_transitions` actions are random, or more if
    `actor.exploration.max_env_steps` says so.

    Args:
        env: The first override, such as `task=reach`, or an environment, which the caller must close.
        overrides: More overrides, such as `algo=rlpd`, `actor.max_env_steps=16000`.
        run: The run folder; None makes a new one below `run_root`. An existing run is continued.
        expert: A class with `reset(info)` and `act(observation, info)` for a gymnasium environment, in its own
            observations and actions.
        demos: Whether the demonstrator records demonstrations first. Existing ones of the run are used in either case.

    Raises:
        ConfigError: An override is wrong, or the environment runs in real time.
        DemoSetError: The demonstrations do not fit, or the attempts were used up.
    """
    source = EnvSource.of(env, overrides)
    with (
        new_job([*source.overrides, *expert_overrides(expert), *run_overrides(run)]) as job,
        run_lock(job.run.path, "learner"),
        claimed_actor(job.run, job.actor_id),
        source.opened(job.settings.composed) as opened,
    ):
        config = job.settings.composed
        _check_simulated(opened)
        take_earlier(job, env_schema(opened), shown=False)  # refuse what does not fit before the demonstrations
        job.write_manifest()
        if demos and _has_demonstrator(job):
            with closing(make_demonstrator(config, opened, seed_for(job.seed, "demonstrator"))) as demonstrator:
                record_in(job, opened, demonstrator)
        seed, usual_steps = seed_for(job.seed, "corrector"), mean_steps(job.run.demos)
        with closing(make_corrector(config, opened, seed, usual_steps=usual_steps)) as corrector:
            return Trained(job.run.path, _train(job, opened, corrector))


def _train(job: Job, env: TaughtEnv, corrector: Operator) -> TrainingSummary:
    refuse_foreign(job.run.demos)
    folders = [job.run.demos] if is_demo_set(job.run.demos) else []
    check_demos(job, folders)
    actor, taken = job.settings.actor, take_earlier(job, env_schema(env))
    write_earlier(job.run.path, taken.facts)
    if not folders and not taken.gives_policy:  # so the first weights need steps of the environment
        first = max(actor.exploration.max_env_steps, job.settings.learner.start_transitions)
        actor = replace(actor, exploration=replace(actor.exploration, max_env_steps=first))
    data = Demonstrations(folders, action_gains(job, folders) | dict(taken.action_gains))
    job.run.keep_run_id(job.run.run_id or new_run_id())
    prior = PriorData((), taken.checkpoint, job.identity, taken.data)
    logging, composed = job.settings.logging, job.settings.composed
    with (
        exports(logging, job.run, LEARNER, composed) as sink,
        closing(Learner(learner_settings(job.settings), job.run, data, prior=prior, sink=sink)) as learner,
    ):
        summary = _run_actor(job, env, corrector, actor, learner)
        while learner.step():
            pass
    return summary


def _run_actor(job: Job, env: TaughtEnv, corrector: Operator, actor: ActorConfig, learner: Learner) -> TrainingSummary:
    def idle() -> None:
        if not learner.step():
            pause()

    settings, transport = job.settings, job.settings.transport
    folder = job.run.actor(job.actor_id)
    schema, identity = env_schema(env), job.identity
    session = open_session(folder.outbox, schema, folder.actor_id, transport.segment_bytes, False, identity)
    events, window = Events(), actor.success_window
    with (
        exports(settings.logging, job.run, f"actor-{folder.actor_id}", settings.composed) as exported,
        kept_if_used(session),
        closing(session.writer),
        closing(LogReader(session.folder)) as reader,
        closing(LocalUplink(learner.intake, reader)) as uplink,
    ):
        PracticeExport(events, exported, read_rows(folder.metrics), window, settings.logging.picture_every)
        exported.open()
        return OnlineRun(
            OnlineSettings(actor, job.seed, settings.policy.encoder_weights, min_free_bytes=transport.min_free_bytes),
            env,
            corrector,
            Recording(uplink, session, folder.metrics),
            make_console(settings.logging),
            Hooks(lambda: False, idle=idle),
            events=events,
        ).run()


def _has_demonstrator(job: Job) -> bool:
    device, task = job.settings.composed["device"], job.settings.composed["task"]
    return held_by_person(device) or (input_name(device) != "none" and task["expert"] is not None)


def _check_simulated(env: TaughtEnv) -> None:
    if not env.lockstep:
        raise ConfigError(
            "train: expected an environment whose time stands still while the learner works, found one in real time; "
            "use `steadyhand learn` and `steadyhand act`"
        )

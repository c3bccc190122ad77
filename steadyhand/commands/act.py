"""Start the actor: it practises beside the robot, records every step, and takes over better weights as they come."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Any

import gymnasium

from steadyhand.actor.backlog import deliver_backlog
from steadyhand.actor.config import ActorConfig
from steadyhand.actor.console import make_console
from steadyhand.actor.control_loop import INTERRUPTED
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.events import Events
from steadyhand.actor.policy_runner import use_one_thread
from steadyhand.actor.session import kept_if_used, open_session
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.actor.training import Training
from steadyhand.actor.training_summary import TrainingSummary
from steadyhand.children import end_with_parent
from steadyhand.identity import claimed_actor, host_actor_id
from steadyhand.job import Job, new_job, seed_for
from steadyhand.learner.config import LearnerConfig
from steadyhand.person import with_person
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.robot_envs.make import make_corrector
from steadyhand.robot_envs.teachable import teachable
from steadyhand.runtime.config import ConfigError, build
from steadyhand.runtime.logging import get_logger
from steadyhand.session import feature_bytes, opened_env, policy_config
from steadyhand.storage import FORMER_OUTBOX, bring_over, check_room, forecast, is_local
from steadyhand.terminal import say
from steadyhand.transport.log import LogReader
from steadyhand.transport.zmq_uplink import ZmqUplink

EPILOG = (
    "The learner is looked for at transport.address; on another machine with transport=network transport.host=... and\n"
    "keys (`steadyhand keys --help`). Ctrl-C ends practice after the running step; the same command goes on from\n"
    "there.\n"
    "example: steadyhand act run_name=pegs actor.max_env_steps=20000"
)

logger = get_logger("act")


def add_options(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Practise to the end."""
    use_one_thread()
    end_with_parent()
    events = Events()
    with (
        new_job(overrides) as job,
        claimed_actor(job.run, job.actor_id),
        StopFlag().on_signals() as stop,
        opened_env(job.config, job.seed) as env,
        with_person(
            job.config, env, partial(make_corrector, job.config, env, seed_for(job.seed, "corrector")), stop, events
        ) as person,
    ):
        summary = practise(job, person.env, person.operator, stop, accepted=job.write_manifest, events=events)
    say(ending_text(summary))
    if summary.end_reason == INTERRUPTED:
        return 130
    return 1 if summary.end_reason.startswith("log:") else 0


def ending_text(summary: TrainingSummary) -> str:
    """Return what practice came to, as one line."""
    period = summary.period
    return (
        f"practice ended ({summary.end_reason}): {summary.episodes} episodes, {summary.env_steps} steps, "
        f"{summary.control_minutes:.1f} robot minutes; {summary.success_alone:.0%} alone of the newest, "
        f"help in {summary.intervention_share_last50:.1%} of the steps; {summary.updates} updates, "
        f"UTD {summary.utd_ratio:.2f}; period p50 {period.p50_ms:.1f} ms, p99 {period.p99_ms:.1f} ms"
    )


def _check_cold_start(actor: ActorConfig, learner: LearnerConfig) -> None:
    """Refuse a start in which each process would wait for the other."""
    explored = actor.exploration.max_env_steps
    if 0 < explored < learner.start_transitions:
        raise ConfigError(
            f"actor.exploration.max_env_steps: expected 0 or at least learner.start_transitions = "
            f"{learner.start_transitions}, after which the first weights come, found {explored}; raise it"
        )


def practise(
    job: Job,
    env: gymnasium.Env[Any, Any],
    corrector: Operator,
    stop: Callable[[], bool],
    show: Callable[[Training], None] = lambda training: None,
    accepted: Callable[[], object] = lambda: None,
    events: Events | None = None,
) -> TrainingSummary:
    """Practise to the end in an environment that is open.

    Args:
        job: How long; a run that was ended early goes on.
        env: As `make_env` returns it.
        corrector: May take over.
        stop: Ends practice early.
        show: Gets what may be asked for its status while practice runs.
        accepted: Called when the learner has accepted this actor; a start that is refused before leaves no session.
        events: Told what happens.
    """
    config = build(ActorConfig, job.config["actor"], "actor")
    _check_cold_start(config, build(LearnerConfig, job.config["learner"], "learner"))
    schema, actor = env_schema(env), job.run.actor(job.actor_id)
    bring_over(job.run, actor, host_actor_id())
    lockstep = teachable(env).lockstep
    # A learner on this machine stores every record too, and in lockstep the actor's own log is not trimmed.
    local = is_local(job.transport.address)
    features = feature_bytes(job, schema) if local else 0
    room = forecast(schema, config.max_env_steps, job.transport, job.run.path, local + lockstep, features)
    check_room(room, job.transport, job.run.path)
    logger.info("disk: %s", room.line())
    identity, segment_bytes = job.identity, job.transport.segment_bytes
    session = open_session(actor.outbox, schema, actor.actor_id, segment_bytes, not lockstep, identity)
    waiting_bytes = 0
    for outbox in (actor.outbox, job.run.log / FORMER_OUTBOX):
        if outbox.is_dir():
            backlog = deliver_backlog(
                outbox,
                session.session_id,
                lambda reader: ZmqUplink(job.transport, reader),
                config.uplink_timeout_s,
                trim=not lockstep,
                stop=stop,
                run=identity,
            )
            waiting_bytes += backlog.record_bytes
    with (
        kept_if_used(session),
        closing(session.writer),
        closing(LogReader(session.folder)) as reader,
        closing(ZmqUplink(job.transport, reader)) as uplink,
    ):

        def begin() -> None:
            if training.run_id:
                job.run.keep_run_id(training.run_id)
            accepted()

        training = Training(
            config,
            env,
            corrector,
            uplink,
            session,
            actor.metrics,
            make_console(job.logging),
            job.seed,
            stop,
            quota_bytes=job.transport.quota_bytes - waiting_bytes,
            min_free_bytes=job.transport.min_free_bytes,
            encoder_weights=policy_config(job).encoder_weights,
            accepted=begin,
            events=events,
        )
        show(training)
        return training.run()

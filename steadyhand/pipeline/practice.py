"""The actor's side of practice with a learner, in an open environment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import gymnasium

from steadyhand.actor.backlog import deliver_backlog
from steadyhand.actor.config import ActorConfig
from steadyhand.actor.console import make_console
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.episode_metrics import read_rows
from steadyhand.actor.events import Events
from steadyhand.actor.online_run import OnlineRun
from steadyhand.actor.online_settings import Hooks, OnlineSettings, Recording
from steadyhand.actor.session_log import kept_if_used, open_session
from steadyhand.actor.training_summary import TrainingSummary
from steadyhand.actor_id import host_actor_id
from steadyhand.exporters.exports import exports
from steadyhand.exporters.practice import PracticeExport
from steadyhand.job import Job
from steadyhand.learner.config import LearnerConfig
from steadyhand.learner.policy_spec import build_policy_spec
from steadyhand.learner.replay.features import slot_dtype, views_kept
from steadyhand.policies import load_backbone
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.robot_envs.teachable import teachable
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.logging import get_logger
from steadyhand.storage import FORMER_OUTBOX, bring_over, check_room, forecast, is_local
from steadyhand.training_settings import TrainingSettings
from steadyhand.transport.log import LogReader
from steadyhand.transport.schema import Schema
from steadyhand.transport.zmq_uplink import ZmqUplink

__all__ = ["ending_text", "feature_bytes", "practise"]

logger = get_logger("act")


def practise(
    job: Job,
    env: gymnasium.Env[Any, Any],
    corrector: Operator,
    stop: Callable[[], bool],
    show: Callable[[OnlineRun], None] = lambda run: None,
    accepted: Callable[[], object] = lambda: None,
    events: Events | None = None,
) -> TrainingSummary:
    """Run the actor in an open environment until practice ends.

    Args:
        job: The settings of practice; a run that was ended early continues.
        env: An environment of `make_env`.
        corrector: The operator, who may take over.
        stop: Returns True to end practice early.
        show: Called with the `OnlineRun`, whose status may be read while practice runs.
        accepted: Called when the learner has accepted this actor. A start that is refused earlier leaves no session.
        events: Receives the events of the loop.
    """
    settings, events = job.settings, events or Events()
    _check_cold_start(settings.actor, settings.learner)
    with exports(settings.logging, job.run, f"actor-{job.actor_id}", settings.composed) as exported:
        rows, window = read_rows(job.run.actor(job.actor_id).metrics), settings.actor.success_window
        PracticeExport(events, exported, rows, window, settings.logging.picture_every)

        def begin() -> None:
            exported.open()
            accepted()

        return _practise(job, env, corrector, stop, show, begin, events)


def _practise(
    job: Job,
    env: gymnasium.Env[Any, Any],
    corrector: Operator,
    stop: Callable[[], bool],
    show: Callable[[OnlineRun], None],
    accepted: Callable[[], object],
    events: Events,
) -> TrainingSummary:
    settings, transport, config = job.settings, job.settings.transport, job.settings.actor
    schema, actor = env_schema(env), job.run.actor(job.actor_id)
    bring_over(job.run, actor, host_actor_id())
    lockstep = teachable(env).lockstep
    # A learner on this machine stores every record as well, and in lockstep the actor's own log is not trimmed.
    local = is_local(transport.address)
    features = feature_bytes(settings, schema) if local else 0
    room = forecast(schema, config.max_env_steps, transport, job.run.path, local + lockstep, features)
    check_room(room, transport, job.run.path)
    logger.info("disk: %s", room.line())
    identity = job.identity
    session = open_session(actor.outbox, schema, actor.actor_id, transport.segment_bytes, not lockstep, identity)
    waiting_bytes = 0
    for outbox in (actor.outbox, job.run.log / FORMER_OUTBOX):
        if outbox.is_dir():
            backlog = deliver_backlog(
                outbox,
                session.session_id,
                lambda reader: ZmqUplink(transport, reader),
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
        closing(ZmqUplink(transport, reader)) as uplink,
    ):

        def begin() -> None:
            if run.run_id:
                job.run.keep_run_id(run.run_id)
            accepted()

        run = OnlineRun(
            OnlineSettings(
                config,
                job.seed,
                settings.policy.encoder_weights,
                quota_bytes=transport.quota_bytes - waiting_bytes,
                min_free_bytes=transport.min_free_bytes,
            ),
            env,
            corrector,
            Recording(uplink, session, actor.metrics),
            make_console(settings.logging),
            Hooks(stop, accepted=begin),
            events=events,
        )
        show(run)
        return run.run()


def ending_text(summary: TrainingSummary) -> str:
    """Return the result of practice as one line."""
    period = summary.period
    return (
        f"practice ended ({summary.end_reason}): {summary.episodes} episodes, {summary.env_steps} steps, "
        f"{summary.robot_minutes:.1f} robot minutes, {summary.control_minutes:.1f} of them control; "
        f"{summary.success_alone:.0%} alone of the newest, "
        f"help in {summary.intervention_share_last50:.1%} of the steps; {summary.updates} updates, "
        f"UTD {summary.utd_ratio:.2f}; period p50 {period.p50_ms:.1f} ms, p99 {period.p99_ms:.1f} ms"
    )


def feature_bytes(settings: TrainingSettings, schema: Schema) -> int:
    """Return the bytes of cached features that a learner keeps per record; 0 without a frozen encoder.

    Raises:
        EncoderError: The weights of the frozen encoder are missing.
    """
    policy, shift = settings.policy, settings.algo.settings.sampling.image_shift
    backbone = load_backbone(policy.encoder, policy.encoder_weights) if policy.feature_cache else None
    if backbone is None:
        return 0
    inputs = build_policy_spec(policy, schema, (), backbone=backbone).inputs
    shapes = {item.key: backbone.map_shape(item.shape) for item in inputs if item.is_frame}
    return slot_dtype(shapes, views_kept(policy.feature_cache, shift)).itemsize


def _check_cold_start(actor: ActorConfig, learner: LearnerConfig) -> None:
    """Refuse a start in which actor and learner would wait for each other."""
    explored = actor.exploration.max_env_steps
    if 0 < explored < learner.start_transitions:
        raise ConfigError(
            f"actor.exploration.max_env_steps: expected 0 or at least learner.start_transitions = "
            f"{learner.start_transitions}, after which the first weights come, found {explored}; raise it"
        )

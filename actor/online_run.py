"""Online training on the robot: episodes with the policy and the person, until an end condition holds."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium

from steadyhand.actor.action_selector import ActionSelector, Explorer
from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.console import Console, Status
from steadyhand.actor.control_loop import INTERRUPTED, ControlLoop, EpisodeSummary, episode_seed
from steadyhand.actor.end_conditions import EndConditions
from steadyhand.actor.episode_metrics import EpisodeMetrics, MetricsFile
from steadyhand.actor.events import EpisodeLogged, Events, Fault, PolicyLoaded, Waiting
from steadyhand.actor.learner_search import find_learner
from steadyhand.actor.learner_watch import LearnerWatch
from steadyhand.actor.online_settings import Hooks, OnlineSettings, Recording
from steadyhand.actor.operator_break import OperatorBreak
from steadyhand.actor.pause import pause, resume_after_stop
from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.actor.readiness import Readiness
from steadyhand.actor.runner import NO_POLICY
from steadyhand.actor.session_log import LogFaultError, LogFullError
from steadyhand.actor.training_summary import TrainingSummary, summarise
from steadyhand.actor.weights_loader import WeightsLoader
from steadyhand.policies import PolicySpec
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.robot_envs.teachable import teachable
from steadyhand.runtime.clock import Clock, MonotonicClock, utc_text, wall_time_ns
from steadyhand.runtime.logging import get_logger
from steadyhand.transport.record import Phase
from steadyhand.transport.uplink import Progress

__all__ = ["OnlineRun"]

LONG_WAIT_S = 2.0  # a shorter one for the learner is the pace of lockstep, and not worth showing

logger = get_logger("actor.online_run")


class OnlineRun:
    """The actor process's main object: episodes with the policy and the operator, until an end condition holds.

    Args:
        settings: Duration and pace.
        env: The environment, as `robot_envs.make_env` returns it.
        operator: Corrects, and decides when it is safe to go on after a stop.
        recording: The log, the link to the learner, and the metrics.
        console: Shows the progress.
        hooks: Functions of the caller.
        clock: Monotonic; measures wall time and the policy's age.
        events: Gets all events; the console and the metrics file are subscribers while `run` lasts.
    """

    def __init__(
        self,
        settings: OnlineSettings,
        env: gymnasium.Env[Any, Any],
        operator: Operator,
        recording: Recording,
        console: Console,
        hooks: Hooks,
        clock: Clock | None = None,
        events: Events | None = None,
    ) -> None:
        config, uplink, session = settings.actor, recording.uplink, recording.session
        self._config, self._env, self._operator, self._uplink = config, env, operator, uplink
        self._session, self._console, self._seed = session, console, settings.seed
        self._encoder_weights, self._hooks = settings.encoder_weights, hooks
        self.run_id = ""  # of the learner that has accepted this actor
        # Only an environment whose time stands still between steps is lockstep: no robot moves and no person waits.
        self._simulated = teachable(env).lockstep
        self._lockstep = config.lockstep and self._simulated
        explore_until = config.exploration.max_env_steps if self._simulated else 0
        self._explores = explore_until > 0
        self._clock = clock or MonotonicClock()
        self._started_ns = self._clock.now_ns()
        self._events = events or Events()
        self._learner_watch = LearnerWatch(config.learner_stall_s, self._clock, self._events)
        self._metrics_file = MetricsFile(recording.metrics_path)
        self._metrics = EpisodeMetrics(recording.metrics_path, session, self._events)
        self._end_conditions = EndConditions(config, session, self._metrics, hooks.stop, self._wall_s)
        self._readiness = Readiness(settings, session, self._metrics, explore_until)
        self._loop = ControlLoop(env, session.schema, session.append, uplink.notify, self._events)
        self._break = OperatorBreak(env, operator, self._events)
        self._runner: PolicyRunner | None = None
        self._loader: WeightsLoader | None = None
        self._waiting = "the learner"
        self._policy_version = NO_POLICY
        self._settled = (-1, -1)  # next number and durable one, when the log was last settled

    def run(self) -> TrainingSummary:
        """Train until the end; the robot holds afterwards in every case.

        Raises:
            Rejected: The learner does not fit; the robot has not moved.
            EncoderError: The frozen encoder of this machine does not fit; the robot has not moved.
            TimeoutError: There is no learner; the robot has not moved.
        """
        self._events.subscribe(Waiting, self._note_waiting)
        self._events.subscribe(Waiting, self._console.waiting)
        self._events.subscribe(EpisodeLogged, self._metrics_file.write)
        self._events.subscribe(EpisodeLogged, self._console.episode_done)
        self._console.start(self.status)
        try:
            runner = self._runner = self._connect()
            end_reason = INTERRUPTED
            if runner is not None:
                self._hooks.accepted()
                self._loader = WeightsLoader(runner, in_background=not self._simulated)
                try:
                    end_reason = self._practise(runner)
                except LogFaultError as error:
                    end_reason = str(error)
                    self._events.emit(Fault(end_reason))
            self._drain()
        finally:
            self._loop.hold()
            if self._loader is not None:
                self._loader.close()
            self._console.close()
            for subscriber in (self, self._console, self._metrics_file):
                self._events.unsubscribe(subscriber)
        return self._summary(end_reason)

    def status(self) -> Status:
        """Return the status of online training. Any thread may ask."""
        progress, runner, history = self._uplink.progress(), self._runner, self._metrics.history
        window, env_steps = self._config.success_window, self._metrics.env_steps
        period_s = self._loop.period.percentiles().p50_ms / 1e3
        acting = "person" if self._loop.has_human else "policy"
        return Status(
            waiting=self._waiting,
            in_control="nobody" if self._waiting or self._loop.holds else acting,
            episode=self._metrics.episodes,
            env_steps=env_steps,
            max_env_steps=self._config.max_env_steps,
            control_minutes=self._metrics.control_s / 60.0,
            robot_minutes=self._metrics.robot_s / 60.0,
            success_window=window,
            success_alone=history.success_alone(window),
            success_helped=history.success_helped(window),
            intervention_rate=history.intervention_rate(window),
            updates=progress.updates,
            utd_ratio=self._utd_ratio(progress),
            policy_version=NO_POLICY if runner is None else runner.policy_version,
            policy_age_s=float("inf") if runner is None else runner.age_s,
            step_rate_hz=1.0 / period_s if period_s else 0.0,
            overruns=self._loop.overruns,
            learner_phase=progress.learner_phase,
            connected=progress.connected,
            quarantined=progress.quarantined,
        )

    def _connect(self) -> PolicyRunner | None:
        """Find the learner and build the policy that it describes; None when a stop was requested first."""
        session, timeout_s = self._session, self._config.uplink_timeout_s
        accept = find_learner(self._uplink, session, timeout_s, self._wall_s, self._hooks.stop)
        if accept is None:
            return None
        self.run_id = accept.identity.run_id
        spec = PolicySpec.from_json(accept.policy_spec)
        return PolicyRunner(spec, session.schema, self._clock, self._seed, self._encoder_weights)

    def _practise(self, runner: PolicyRunner) -> str:
        """Run episodes until there is a reason to end, and return it.

        Raises:
            LogFaultError: The log cannot be written, for another reason than a lack of room.
        """
        size = self._session.schema.action.shape[0]
        explorer = Explorer(size, self._config.exploration.scale, self._seed) if self._explores else None
        period_s = self._session.schema.control_period_s
        arbiter = Arbiter(teachable(self._env).motion_entries, self._config.hand_over, period_s)
        selector = ActionSelector(self._operator, arbiter, runner, explorer=explorer)
        self._resume(self._latched_reason())
        while not (end_reason := self._end_conditions.reason()):
            self._take_weights()
            if self._break.requested():
                self._break.run(self._end_conditions.any_holds, self._wait)
                continue
            if reason := self._reason_to_wait(runner):
                if reason != self._waiting:
                    self._loop.hold()
                self._settle()  # records that the learner has taken meanwhile make room
                self._wait(reason)
                continue
            self._waiting = ""
            try:
                summary = self._run_episode(selector, runner)
            except LogFullError as error:
                logger.error("%s; the episode has ended, practice waits", error)
                self._resume(self._latched_reason())
                continue
            self._resume(summary.stop_reason)
        return end_reason

    def _run_episode(self, selector: ActionSelector, runner: PolicyRunner) -> EpisodeSummary:
        metrics = self._metrics
        episode_id, metrics.next_episode_id = metrics.next_episode_id, metrics.next_episode_id + 1
        seed = episode_seed(self._seed, Phase.TRAIN, episode_id)
        quiet_every = self._config.quiet_every
        selector.deterministic = quiet_every > 0 and episode_id % quiet_every == 0
        summary = self._loop.run_episode(episode_id, Phase.TRAIN, selector, seed, self._may_step)
        progress = self._uplink.progress()
        facts = {
            "updates": progress.updates,
            "utd_ratio": self._utd_ratio(progress),
            "transitions": max(progress.transitions, metrics.env_steps),
            "ended": utc_text(wall_time_ns()),
            "learner_epoch": runner.learner_epoch,
            "policy_age_s": runner.age_s if runner.ready else None,
            "learner_connected": progress.connected,
            "quarantined": progress.quarantined,
            "learner_stalled": self._learner_watch.look(progress),
            "wall_s": self._wall_s(),
            "overruns": self._loop.overruns,
            "period_p99_ms": self._loop.period.percentiles().p99_ms,
            "compute_p99_ms": self._loop.compute.percentiles().p99_ms,
        }
        metrics.add(summary, facts)
        self._settle()
        return summary

    def _utd_ratio(self, progress: Progress) -> float:
        """Return the updates per control step of the run, over all actors of the learner."""
        return progress.updates / max(1, progress.transitions, self._metrics.env_steps)

    def _settle(self) -> None:
        """Make appended records durable and forget those that the learner holds, when either has changed."""
        state = self._session.writer.next_seq, self._uplink.progress().durable_seq
        if state != self._settled:
            self._session.settle(state[1])
            self._settled = state

    def _reason_to_wait(self, runner: PolicyRunner) -> str:
        progress = self._uplink.progress()
        self._learner_watch.tell(progress)
        return self._readiness.reason_to_wait(runner, progress)

    def _may_step(self) -> bool:
        """Between two steps: let the learner catch up in lockstep, swap weights, check for a request to stop."""
        if self._hooks.stop() or self._break.requested() or (self._lockstep and not self._wait_for_learner()):
            return False
        self._take_weights()
        self._metrics.session_steps += 1
        return True

    def _wait_for_learner(self) -> bool:
        """Return when the learner allows the next step; False when there will be none."""
        since_s = self._wall_s()
        while 0 <= self._uplink.progress().transitions_allowed <= self._metrics.session_steps:
            now_s = self._wall_s()
            if self._hooks.stop() or now_s >= self._config.max_wall_s:
                return False
            self._wait("the learner (lockstep)" if now_s - since_s > LONG_WAIT_S else "")
        self._waiting = ""
        return True

    def _wait(self, reason: str) -> None:
        if reason != self._waiting:
            self._events.emit(Waiting(reason))
        self._hooks.idle()

    def _note_waiting(self, event: Waiting) -> None:
        self._waiting = event.reason

    def _take_weights(self) -> None:
        loader, weights = self._loader, self._uplink.latest_weights()
        assert loader is not None
        if weights is not None:
            loader.offer(weights)
        loader.take()
        runner = self._runner
        if runner is not None and runner.policy_version != self._policy_version:
            self._policy_version = runner.policy_version
            self._events.emit(PolicyLoaded(runner.learner_epoch, runner.policy_version))

    def _latched_reason(self) -> str:
        """Return the reason of the environment's stop; "" without one, or when it does not latch."""
        latched = teachable(self._env).stop_reason
        return str(getattr(latched, "value", latched or ""))

    def _resume(self, stop_reason: str) -> None:
        idle = partial(self._wait, f"a person to say that it is safe to go on (stopped: {stop_reason})")
        resume_after_stop(self._env, self._operator, stop_reason, self._end_conditions.any_holds, idle, self._events)

    def _drain(self) -> None:
        """Give the link a moment to deliver the last records; the others stay in the log."""
        until_ns = self._clock.now_ns() + round(self._config.drain_s * 1e9)
        while self._clock.now_ns() < until_ns:
            progress = self._uplink.progress()
            if not progress.connected or progress.next_seq >= self._session.writer.next_seq:
                return
            pause(self._clock)

    def _wall_s(self) -> float:
        return (self._clock.now_ns() - self._started_ns) / 1e9

    def _summary(self, end_reason: str) -> TrainingSummary:
        rejected = 0 if self._runner is None else self._runner.rejected
        return summarise(end_reason, self.status(), self._metrics.history, self._loop, rejected, self._wall_s())

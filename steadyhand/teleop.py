"""Teleoperation through the control loop and the safety gate, without a policy and without recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.authority import HandOver
from steadyhand.actor.control_loop import INTERRUPTED, ControlLoop, episode_seed
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.events import ActionChosen, Events, StepEnded, StopCleared, StopLatched, Waiting
from steadyhand.actor.operator_break import OperatorBreak
from steadyhand.actor.pause import pause, resume_after_stop
from steadyhand.actor.timing import Percentiles
from steadyhand.robot_envs.devices.device import HumanInput
from steadyhand.robot_envs.devices.operator import DeviceOperator, Operator
from steadyhand.robot_envs.teachable import teachable
from steadyhand.transport.record import Phase

__all__ = ["Teleop", "TeleopStatus"]


@dataclass(frozen=True)
class TeleopStatus:
    """The state of teleoperation at one moment.

    Attributes:
        state: `starting` (before the first step), `waiting` (for the operator's enable), `person` (the operator moves
            the robot), `nobody` (the device is at rest), `held` (the device is silent) or `stopped`.
        stop_reason: Reason of the current stop; "" without one.
        reading: Newest reading of the device; None before the first.
        tcp_pose: Pose of each tool relative to the episode's start, position then rotation vector, one arm after the
            other. Shape (n_arms * 6,); [m], [rad].
        wrench: Wrench on each tool, in the tool frame. Shape (n_arms * 6,); [N], [Nm].
        steps: Steps since the start of the program.
        overruns: Number of late steps.
        period: Times between consecutive observations.
        waiting: The condition that the loop waits for while nothing moves; else "".
    """

    state: str
    stop_reason: str
    reading: HumanInput | None
    tcp_pose: NDArray[np.float64]
    wrench: NDArray[np.float64]
    steps: int
    overruns: int
    period: Percentiles
    waiting: str = ""


class Teleop:
    """Teleoperation of one arm or two, episode after episode.

    Args:
        env: An environment of `robot_envs.make_env` with an arm.
        person: The operator's device.
        seed: Seed of the episodes' resets.
        stop: Returns True to end.
        hand_over: Rules for a takeover from rest.
        operator: The supervised operator; None = `person` alone.
        events: Receives the events of every episode.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        person: DeviceOperator,
        seed: int,
        stop: Callable[[], bool],
        hand_over: HandOver,
        operator: Operator | None = None,
        events: Events | None = None,
    ) -> None:
        self._env, self._person, self._seed, self._stop = env, person, seed, stop
        self._operator, self._events = operator or person, events or Events()
        schema = env_schema(env)
        self._loop = ControlLoop(env, schema, append=lambda record: None, events=self._events)
        arbiter = Arbiter(teachable(env).motion_entries, hand_over, schema.control_period_s)
        self._selector = ActionSelector(self._operator, arbiter)
        self._break = OperatorBreak(env, self._operator, self._events)
        self._observation: Mapping[str, NDArray[Any]] = {}
        self._acting, self._stop_reason, self._waiting = "starting", "", ""
        self._steps = 0
        self._events.subscribe(ActionChosen, self._on_action)
        self._events.subscribe(StepEnded, self._on_step)
        self._events.subscribe(StopLatched, self._on_stop)
        self._events.subscribe(StopCleared, self._on_clear)
        self._events.subscribe(Waiting, self._on_wait)

    def run(self) -> None:
        """Drive until `stop` returns True. After a stop of the robot, continue when the operator clears it."""
        episode = 0
        while not self._stop():
            if self._break.requested():
                self._break.run(self._stop, self._wait)
                self._events.emit(Waiting(""))
                continue
            seed = episode_seed(self._seed, Phase.DEMO, episode)
            summary = self._loop.run_episode(episode, Phase.DEMO, self._selector, seed, self._may_step)
            episode += 1
            if summary.stop_reason != INTERRUPTED:
                resume_after_stop(self._env, self._operator, summary.stop_reason, self._stop, events=self._events)

    def status(self) -> TeleopStatus:
        """Return the current status. Any thread may call this."""
        stop_reason, waiting = self._stop_reason, self._waiting
        return TeleopStatus(
            state="stopped" if stop_reason else "waiting" if waiting else self._acting,
            stop_reason=stop_reason,
            reading=self._person.reading,
            tcp_pose=self._seen("tcp_pose"),
            wrench=self._seen("wrench"),
            steps=self._steps,
            overruns=self._loop.overruns,
            period=self._loop.period.percentiles(),
            waiting=waiting,
        )

    def _may_step(self) -> bool:
        return not (self._stop() or self._break.requested())

    def _wait(self, reason: str) -> None:
        if reason != self._waiting:
            self._events.emit(Waiting(reason))
        pause()

    def _on_action(self, event: ActionChosen) -> None:
        self._acting = "held" if event.holds else "person" if event.has_human else "nobody"

    def _on_step(self, event: StepEnded) -> None:
        self._observation, self._steps = event.observation, self._steps + 1

    def _on_stop(self, event: StopLatched) -> None:
        self._stop_reason = event.reason

    def _on_clear(self, event: StopCleared) -> None:
        self._stop_reason = ""

    def _on_wait(self, event: Waiting) -> None:
        self._waiting = event.reason

    def _seen(self, name: str) -> NDArray[np.float64]:
        values = self._observation.get(name)
        return np.zeros(6) if values is None else np.asarray(values, np.float64).ravel()

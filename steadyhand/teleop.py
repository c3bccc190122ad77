"""Driving a robot by hand through the loop and the gate of practice, without a policy and without a record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.authority import HandOver
from steadyhand.actor.chooser import Chooser
from steadyhand.actor.control_loop import INTERRUPTED, ControlLoop, EpisodeSummary, episode_seed
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.timing import Percentiles
from steadyhand.actor.waiting import resume_after_stop
from steadyhand.robot_envs.devices.device import HumanInput
from steadyhand.robot_envs.devices.operator import HOLD, DeviceOperator, Wish
from steadyhand.robot_envs.make import TaughtEnv
from steadyhand.robot_envs.teachable import teachable
from steadyhand.transport.record import Phase

__all__ = ["Teleop", "TeleopStatus"]

Observation = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class TeleopStatus:
    """Driving at one moment.

    Attributes:
        state: Who moves the robot: person, nobody (the device is at rest), held (it is silent), stopped; or starting,
            before the first step.
        stop_reason: Why the robot was stopped, while it is; else "".
        reading: Of the device; None before the first one.
        tcp_pose: Of the tool against the episode's start, position then rotation vector. Shape (6,); [m], [rad].
        wrench: On the tool, in its frame. Shape (6,); [N], [Nm].
        steps: Since the start of the program.
        overruns: Steps that came late.
        period: From look to look.
    """

    state: str
    stop_reason: str
    reading: HumanInput | None
    tcp_pose: NDArray[np.float64]
    wrench: NDArray[np.float64]
    steps: int
    overruns: int
    period: Percentiles


class Teleop:
    """A person drives one arm, episode after episode.

    Args:
        env: As `robot_envs.make_env` returns it, for one arm.
        person: With the device in hand.
        seed: Of the episodes' resets.
        stop: Whether to end.
        hand_over: How the person takes over from rest.
    """

    def __init__(
        self, env: TaughtEnv, person: DeviceOperator, seed: int, stop: Callable[[], bool], hand_over: HandOver
    ) -> None:
        self._env, self._person, self._seed, self._stop = env, person, seed, stop
        schema = env_schema(env)
        self._loop = ControlLoop(env, schema, append=lambda record: None)
        arbiter = Arbiter(teachable(env).motion_entries, hand_over, schema.control_period_s)
        self._chooser = Chooser(_Watched(person, self._note), arbiter)
        self._observation: Observation = {}
        self._wish: Wish = None
        self._stop_reason = ""
        self._steps = 0

    def run(self, on_episode: Callable[[EpisodeSummary], None] = lambda summary: None) -> None:
        """Drive until `stop` says so; after a stop of the robot, go on when the person says that it is safe."""
        episode = 0
        while not self._stop():
            seed = episode_seed(self._seed, Phase.DEMO, episode)
            summary = self._loop.run_episode(episode, Phase.DEMO, self._chooser, seed, lambda: not self._stop())
            episode += 1
            if summary.stop_reason == INTERRUPTED:
                return
            self._stop_reason = summary.stop_reason
            on_episode(summary)
            resume_after_stop(self._env, self._person, summary.stop_reason, self._stop)
            self._stop_reason = ""

    def status(self) -> TeleopStatus:
        """Return how it goes; another thread may ask."""
        wish, stop_reason = self._wish, self._stop_reason
        acting = "held" if wish is HOLD else "nobody" if wish is None else "person"
        if self._steps == 0:
            acting = "starting"
        return TeleopStatus(
            state="stopped" if stop_reason else acting,
            stop_reason=stop_reason,
            reading=self._person.reading,
            tcp_pose=self._seen("tcp_pose"),
            wrench=self._seen("wrench"),
            steps=self._steps,
            overruns=self._loop.overruns,
            period=self._loop.period.percentiles(),
        )

    def _note(self, observation: Observation, wish: Wish) -> None:
        self._observation, self._wish, self._steps = observation, wish, self._steps + 1

    def _seen(self, name: str) -> NDArray[np.float64]:
        values = self._observation.get(name)
        return np.zeros(6) if values is None else np.asarray(values, np.float64).ravel()[:6]


class _Watched:
    """The person, with somebody looking over the shoulder."""

    def __init__(self, person: DeviceOperator, note: Callable[[Observation, Wish], None]) -> None:
        self._person, self._note = person, note
        self.reset, self.may_resume, self.close = person.reset, person.may_resume, person.close
        self.wants_park = person.wants_park

    def act(self, observation: Observation, info: dict[str, Any], policy_action: NDArray[np.float32] | None) -> Wish:
        wish = self._person.act(observation, info, policy_action)
        self._note(observation, wish)
        return wish

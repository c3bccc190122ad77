"""Deployment of a finished policy: it acts, a person may take over, and nothing is recorded or learnt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.authority import HandOver
from steadyhand.actor.control_loop import ControlLoop
from steadyhand.actor.events import Events
from steadyhand.actor.runner import Runner
from steadyhand.actor.seeded_episodes import seeded_episodes
from steadyhand.actor.timing import Percentiles
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.robot_envs.teachable import teachable
from steadyhand.transport.schema import Schema

__all__ = ["Deployment", "deploy"]


@dataclass(frozen=True)
class Deployment:
    """Result of a deployment.

    Attributes:
        episodes: Episodes that were finished.
        successes: Episodes of these that succeeded.
        helped: Episodes of these in which a person acted.
        stopped: Episodes of these that a software stop ended.
        period: Time from reading to reading, in control time.
        compute: A step without the environment: the policy, and choosing.
        overruns: Steps that took longer than the control period.
    """

    episodes: int
    successes: int
    helped: int
    stopped: int
    period: Percentiles
    compute: Percentiles
    overruns: int


def deploy(
    env: gymnasium.Env[Any, Any],
    schema: Schema,
    runner: Runner,
    operator: Operator,
    hand_over: HandOver,
    episodes: int | None,
    seed: int,
    stop: Callable[[], bool] = lambda: False,
    events: Events | None = None,
) -> Deployment:
    """Run a policy with its most likely actions.

    Args:
        env: The environment, as `robot_envs.make_env` returns it.
        schema: Schema of `env`.
        runner: The policy.
        operator: May take over, and decides when to go on after a stop.
        hand_over: Times of a hand-over between policy and operator.
        episodes: Number of episodes; None = until `stop`.
        seed: Seed of the episodes' resets; an evaluation with the same seed has the same episodes.
        stop: Ends it; an episode that it interrupts does not count.
        events: Gets every episode.
    """
    loop = ControlLoop(env, schema, append=lambda record: None, events=events)
    arbiter = Arbiter(teachable(env).motion_entries, hand_over, schema.control_period_s)
    selector = ActionSelector(operator, arbiter, runner, deterministic=True)
    finished = successes = helped = stopped = 0
    for summary in seeded_episodes(loop, selector, operator, seed, stop, episodes):
        finished += 1
        successes += summary.success
        helped += summary.helped
        stopped += bool(summary.stop_reason)
    period, compute = loop.period.percentiles(), loop.compute.percentiles()
    return Deployment(finished, successes, helped, stopped, period, compute, loop.overruns)

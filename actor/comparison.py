"""A blind comparison of two policies: episodes alternate in a hidden random order on the same starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.control_loop import ControlLoop
from steadyhand.actor.evaluate import Evaluation, Protocol, evaluated_episodes, judge_episodes, selector_for
from steadyhand.actor.evaluated_episode import EvaluatedEpisode
from steadyhand.actor.events import Events
from steadyhand.actor.runner import Runner
from steadyhand.actor.seeded_episodes import PlannedEpisode
from steadyhand.actor.sequential import PairedTest
from steadyhand.actor.starts import Start
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.transport.schema import Schema

__all__ = ["Comparison", "compare", "hidden_order"]


@dataclass(frozen=True)
class Comparison:
    """Result of a comparison.

    Attributes:
        test: Counts of the finished pairs, and the verdict.
        first: Evaluation of the first policy over the finished pairs.
        second: The same of the second policy.
        is_finished: True when more pairs can change nothing: a verdict, no further start, or none in reach.
    """

    test: PairedTest
    first: Evaluation
    second: Evaluation
    is_finished: bool


def compare(
    env: gymnasium.Env[Any, Any],
    schema: Schema,
    runners: tuple[Runner, Runner],
    starts: Sequence[Start],
    order_seed: int,
    alpha: float,
    bystander: Operator,
    protocol: Protocol,
    stop: Callable[[], bool] = lambda: False,
    events: Events | None = None,
) -> Comparison:
    """Run pairs of episodes until the sequential test has a verdict, or there are no more starts.

    The operator learns neither from events nor from records which policy acts.

    Args:
        env: The environment, as `robot_envs.make_env` returns it.
        schema: Schema of `env`.
        runners: The two policies, with weights.
        starts: One start a pair; both policies begin from it.
        order_seed: Seed of the hidden order within the pairs.
        alpha: Largest probability of a false verdict.
        bystander: Decides when to go on after a stop.
        protocol: Interventions, labels, and the episodes that are done: index 2 i and 2 i + 1 belong to pair i.
        stop: Ends the comparison early; a pair that it interrupts does not count.
        events: Gets every episode.
    """
    if not all(runner.ready for runner in runners):
        raise ValueError("compare: expected two policies with weights; load checkpoints first")
    loop = ControlLoop(env, schema, lambda record: None, events=events)
    selectors = [selector_for(env, schema, _Masked(runner), protocol) for runner in runners]
    order, test = hidden_order(order_seed, len(starts)), PairedTest(alpha)
    found: tuple[list[EvaluatedEpisode], list[EvaluatedEpisode]] = [], []
    for pair, start in enumerate(starts):
        if test.verdict or not test.reachable(len(starts) - pair):
            break
        plan = [PlannedEpisode(2 * pair + place, start, selectors[order[pair] ^ place]) for place in (0, 1)]
        done = {one.index: protocol.done[one.index] for one in plan if one.index in protocol.done}
        missing = [one for one in plan if one.index not in done]
        done |= dict(evaluated_episodes(loop, missing, bystander, stop, protocol))
        if len(done) < len(plan):
            return _comparison(test, found, False)
        for place in (0, 1):
            found[order[pair] ^ place].append(done[2 * pair + place])
        test = test.after(*(side[-1].counted().success for side in found))
    return _comparison(test, found, True)


def hidden_order(order_seed: int, pairs: int) -> list[int]:
    """Return the policy, 0 or 1, that acts first in each pair."""
    drawn: list[int] = np.random.default_rng(order_seed).integers(0, 2, pairs).tolist()
    return drawn


def _comparison(
    test: PairedTest, found: tuple[list[EvaluatedEpisode], list[EvaluatedEpisode]], is_finished: bool
) -> Comparison:
    first, second = (judge_episodes(side) for side in found)
    return Comparison(test, first, second, is_finished)


class _Masked:
    """A policy without its version, by which the operator could tell it."""

    policy_version = 0

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    @property
    def ready(self) -> bool:
        return self._runner.ready

    def begin(self, observation: Mapping[str, NDArray[Any]]) -> None:
        self._runner.begin(observation)

    def observe(self, observation: Mapping[str, NDArray[Any]]) -> None:
        self._runner.observe(observation)

    def act(self, deterministic: bool) -> NDArray[np.float32]:
        return self._runner.act(deterministic)

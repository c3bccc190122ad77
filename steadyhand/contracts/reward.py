"""Conformance tests of a reward."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.rewards.reward import LAST_STEP, Fields, Reward, Score, SeenField, find_reward
from steadyhand.robot_envs.tasks.task import Outcome
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose

__all__ = ["RewardContract"]

STEPS = 12


class RewardContract:
    """Base class of a reward's tests: derive and set `group`; pytest runs the tests.

    Attributes:
        group: The override that chooses the reward, such as `reward=task`.
        overrides: More overrides, for instance the file of a model.
        fields: Shape, dtype and frame of each observation field in the episodes of noise.
        reads: Names of the fields without which the reward must be refused.
    """

    group: str
    overrides: tuple[str, ...] = ()
    fields: ClassVar[Fields] = {"state": SeenField((3,), "float32")}
    reads: tuple[str, ...] = ()

    def make(self) -> Reward:
        """Make the reward from its configuration group."""
        reward = find_reward(compose([self.group, *self.overrides])["reward"]).make()
        assert isinstance(reward, Reward)
        return reward

    def observations(self, seed: int = 0) -> list[dict[str, NDArray[Any]]]:
        """Make one episode of noise."""
        rng = np.random.default_rng(seed)
        return [
            {
                name: rng.integers(0, 256, shape, np.uint8)
                if dtype == "uint8"
                else rng.normal(size=shape).astype(np.float32)
                for name, (shape, dtype, *_) in self.fields.items()
            }
            for _ in range(STEPS)
        ]

    def scores(self, reward: Reward, observations: Sequence[dict[str, NDArray[Any]]]) -> list[Score]:
        """Score one episode in the way of stored records: without a robot's state and without an info."""
        reward.begin()
        lasts = [step == STEPS - 1 for step in range(len(observations))]
        return [
            reward.score(observation, None, Outcome(float(last), last, math.nan), {LAST_STEP: last})
            for observation, last in zip(observations, lasts, strict=True)
        ]

    def test_it_takes_the_fields_that_it_reads(self) -> None:
        """The check passes with all fields, and names a missing field."""
        reward = self.make()
        reward.check(self.fields)
        for name in self.reads:
            rest = {other: field for other, field in self.fields.items() if other != name}
            line = ""
            try:
                reward.check(rest)
            except ConfigError as error:
                line = str(error)
            assert name in line, f"expected a ConfigError that names {name}, found {line or 'none'}"
            assert "\n" not in line

    def test_scores_are_sound(self) -> None:
        """Numbers are finite, terms are the declared ones, and a confidence is a probability."""
        reward = self.make()
        assert len(set(reward.reward_terms)) == len(reward.reward_terms)
        for score in self.scores(reward, self.observations()):
            assert isinstance(score, Score)
            assert math.isfinite(score.reward)
            assert isinstance(score.success, bool)
            assert set(score.terms) == set(reward.reward_terms)
            assert all(math.isfinite(value) for value in score.terms.values())
            assert 0.0 <= score.confidence <= 1.0

    def test_an_episode_does_not_depend_on_the_one_before(self) -> None:
        """Relabelling twice gives the same scores only if `begin` forgets."""
        reward = self.make()
        first = self.scores(reward, self.observations(0))
        self.scores(reward, self.observations(1))
        assert self.scores(reward, self.observations(0)) == first
        assert self.scores(self.make(), self.observations(0)) == first

    def test_observations_are_left_alone(self) -> None:
        """The reward does not modify the observations, which are recorded afterwards."""
        observations = self.observations()
        before = copy.deepcopy(observations)
        self.scores(self.make(), observations)
        for one, other in zip(before, observations, strict=True):
            assert one.keys() == other.keys()
            assert all(np.array_equal(one[name], other[name]) for name in one)

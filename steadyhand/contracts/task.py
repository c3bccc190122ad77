"""Conformance tests of an arm's task and its scripted expert."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.make import make_demonstrator, make_env
from steadyhand.robot_envs.tasks.task import Task
from steadyhand.runtime.build import build
from steadyhand.runtime.component import load_entry_point
from steadyhand.runtime.config import compose

__all__ = ["TaskContract"]

DRAWS = 10  # episodes that are only begun


class TaskContract:
    """Base class of a task's tests: derive and set `group`. They run on the mock unless `overrides` name another robot.

    Attributes:
        group: The override that chooses the task, such as `task=reach`.
        overrides: More overrides.
        episodes: Number of episodes on which the expert is evaluated.
        success: Smallest share of these episodes in which the expert succeeds, 0..1.
    """

    group: str
    overrides: tuple[str, ...] = ()
    episodes: int = 20
    success: float = 0.9

    @cached_property
    def config(self) -> dict[str, Any]:
        """The composed configuration."""
        return compose([self.group, *self.overrides])

    @cached_property
    def task(self) -> Task:
        """The task alone."""
        values = self.config["task"]
        task_class: Any = load_entry_point(values["entry_point"], "task.entry_point")
        task: Task = task_class(build(task_class.settings_type, values["settings"], "task.settings"))
        return task

    @pytest.fixture
    def env(self) -> Iterator[RobotEnv]:
        """The environment of the task."""
        env = make_env(self.config, seed=0)
        assert isinstance(env, RobotEnv)
        yield env
        env.close()

    def test_what_it_observes_is_described(self) -> None:
        """Every vector has a size, bounds and a typical scale of each entry."""
        for name, vector in self.task.observed.items():
            assert vector.size >= 1, name
            assert vector.bound > 0.0, name
            assert len(vector.scale) == vector.size, name
            assert all(scale > 0.0 for scale in vector.scale), name

    def test_privileged_fields_are_named_among_those(self) -> None:
        """`privileged` names fields that the task observes; () if a real cell's sensors measure all of them."""
        task = self.task
        assert hasattr(task, "privileged"), "expected the attribute privileged, found none; () = nothing is privileged"
        assert set(task.privileged) <= set(task.observed)

    def test_episodes_are_drawn_within_the_space_and_the_limits(self, env: RobotEnv) -> None:
        """Every drawn episode can begin: no stop, no success yet, and all values finite and within bounds."""
        for seed in range(DRAWS):
            observation, info = env.reset(seed=seed)
            assert env.observation_space.contains(observation)
            assert all(bool(np.isfinite(value).all()) for value in observation.values())
            assert info["stop_reason"] == ""
            assert not info["success"]

    def test_the_seed_draws_the_episode(self) -> None:
        """One seed gives one episode, and different seeds give different ones."""
        starts = []
        for seed in (0, 1, 0):
            env = make_env(self.config, seed=0)
            observation, _ = env.reset(seed=seed)
            starts.append(np.concatenate([observation[name].ravel() for name in sorted(observation)]))
            env.close()
        assert np.array_equal(starts[0], starts[2])
        assert not np.array_equal(starts[0], starts[1])

    def test_it_judges_every_step(self, env: RobotEnv) -> None:
        """The reward is 1 with success and 0 otherwise, its terms are the declared ones, and progress is a number.

        Success and failure end the episode.
        """
        for info, reward, terminated in self._episode(env, 0):
            assert reward == float(info["success"])
            assert set(info["reward_terms"]) == set(env.reward_terms) == set(self.task.reward_terms)
            assert np.isfinite(info["progress"])
            assert terminated == (info["success"] or info["failed"])
            assert not (info["success"] and info["failed"])

    def test_standing_still_is_no_success(self, env: RobotEnv) -> None:
        """An arm at rest does not succeed."""
        for seed in range(3):
            env.reset(seed=seed)
            ended = False
            while not ended:
                _, reward, terminated, truncated, _ = env.step(np.zeros(env.action_space.shape or (0,), np.float32))
                assert reward == 0.0
                ended = terminated or truncated
            assert not terminated

    def test_the_expert_succeeds_mostly(self, env: RobotEnv) -> None:
        """The expert's actions fit the action space and achieve the task, with the noise of a human hand."""
        wins = sum([*self._episode(env, seed)][-1][0]["success"] for seed in range(self.episodes))
        assert wins >= self.success * self.episodes

    def _episode(self, env: RobotEnv, seed: int) -> Iterator[tuple[dict[str, Any], float, bool]]:
        """Let the expert act through one episode; yield the result of each step."""
        expert = make_demonstrator(self.config, env, seed)
        observation, info = env.reset(seed=seed)
        expert.reset(info)
        ended = False
        while not ended:
            action = expert.act(observation, info, None)
            assert isinstance(action, np.ndarray)
            assert _fits(env, action)
            observation, reward, terminated, truncated, info = env.step(action)
            yield info, reward, terminated
            ended = terminated or truncated
        if env.stop_reason is not None:
            env.resume()


def _fits(env: RobotEnv, action: NDArray[np.float32]) -> bool:
    return bool(env.action_space.contains(action))

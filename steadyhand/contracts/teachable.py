"""Conformance tests of an environment with the contract `Teachable`."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from steadyhand.actor.env_schema import env_schema
from steadyhand.robot_envs.safety.stop_reason import StopReason
from steadyhand.robot_envs.teachable import StopLatchedError, Teachable, missing_members, teachable

__all__ = ["TeachableContract"]

SEED = 3


class TeachableContract:
    """Base class of an environment's tests: derive and define `make_env`; pytest runs the tests."""

    def make_env(self) -> gymnasium.Env[Any, Any]:
        """Return a new environment, wrapped or not."""
        raise NotImplementedError("expected make_env to return an environment, found none; define it in the test class")

    @pytest.fixture
    def env(self) -> Any:
        """Give a new environment and close it."""
        env = self.make_env()
        yield env
        env.close()

    def test_every_member_is_there_once_an_episode_has_begun(self, env: gymnasium.Env[Any, Any]) -> None:
        """Every member of the contract is defined."""
        env.reset(seed=SEED)
        assert missing_members(env) == ()

    def test_it_tells_the_schema_of_its_records(self, env: gymnasium.Env[Any, Any]) -> None:
        """The declared spaces and fields are consistent."""
        schema, robot = env_schema(env), teachable(env)
        size = schema.action.shape[0]
        assert schema.control_period_s == robot.control_period_s > 0.0
        assert isinstance(env.observation_space, spaces.Dict)
        assert set(robot.field_specs) <= set(env.observation_space)
        assert robot.motion_entries.shape == (size,)
        assert robot.motion_entries.dtype == np.bool_
        assert not robot.motion_entries[list(robot.gripper_entries)].any()

    def test_a_step_reports_as_declared(self, env: gymnasium.Env[Any, Any]) -> None:
        """The step's info has the declared contents."""
        robot = teachable(env)
        env.reset(seed=SEED)
        assert robot.commanded_grippers.shape == (len(robot.gripper_entries) or robot.commanded_grippers.size,)
        _, reward, _, _, info = env.step(np.zeros(env.action_space.shape or (0,), np.float32))
        assert np.isfinite(float(reward))
        assert info["stop_reason"] == ""
        assert set(info["reward_terms"]) == set(robot.reward_terms)
        assert np.asarray(info["gated_command"]).size == robot.command_size

    def test_a_stop_latches_ends_the_episode_and_keeps_its_first_reason(self, env: gymnasium.Env[Any, Any]) -> None:
        """After a stop, no step is possible before a resume."""
        robot = teachable(env)
        env.reset(seed=SEED)
        robot.stop(StopReason.PERSON_STOP)
        robot.stop(StopReason.NOT_ENABLED)
        assert _latched(robot) == StopReason.PERSON_STOP
        _, reward, terminated, truncated, info = env.step(np.zeros(env.action_space.shape or (0,), np.float32))
        assert (float(reward), terminated, truncated) == (0.0, False, True)
        assert (info["stop_reason"], info["success"]) == ("person_stop", False)
        with pytest.raises(StopLatchedError):
            env.reset(seed=SEED)
        assert robot.resume()
        assert _latched(robot) is None
        env.reset(seed=SEED)

    def test_a_stop_that_comes_after_the_operators_word_stays(self, env: gymnasium.Env[Any, Any]) -> None:
        """The operator's answer clears only the stops before it."""
        robot = teachable(env)
        env.reset(seed=SEED)
        robot.stop(StopReason.PERSON_STOP)
        since = robot.stops
        robot.stop(StopReason.PERSON_STOP)
        assert not robot.resume(since)
        assert _latched(robot) == StopReason.PERSON_STOP
        assert robot.resume(robot.stops)

    def test_a_break_latches_nothing(self, env: gymnasium.Env[Any, Any]) -> None:
        """After a break the next episode starts."""
        robot = teachable(env)
        env.reset(seed=SEED)
        robot.park()
        assert robot.preflight() == ""
        robot.hold()
        assert _latched(robot) is None
        env.reset(seed=SEED)


def _latched(robot: Teachable) -> str | None:
    return robot.stop_reason

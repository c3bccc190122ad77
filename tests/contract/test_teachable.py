import gymnasium
import numpy as np
import pytest

from steadyhand.contracts.teachable import TeachableContract
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.gym_env import GymTaskEnv
from steadyhand.robot_envs.teachable import Teachable, missing_members, teachable
from tests.robot_kit import make_robot_env
from tests.unit.actor.point_env import PointEnv

KEPT: tuple[type[Teachable], ...] = (RobotEnv, GymTaskEnv)
PENDULUM = ("task=gym", "task.entry_point=gymnasium:make", "task.arguments={id:Pendulum-v1}", "task.success_reward=0")


class TestRobot(TeachableContract):
    def make_env(self):
        return make_robot_env("task=pick_place")


class TestGym(TeachableContract):
    def make_env(self):
        return make_robot_env(*PENDULUM)


class TestWrappedRobot(TeachableContract):
    def make_env(self):
        return gymnasium.wrappers.RecordEpisodeStatistics(make_robot_env("task=reach"))


class Shaped(gymnasium.Wrapper):
    """Adds a part of the reward, as a reward model does."""

    @property
    def reward_terms(self):
        return (*self.get_wrapper_attr("env").reward_terms, "shaped")

    def step(self, action):
        *rest, info = self.env.step(action)
        return *rest, info | {"reward_terms": info["reward_terms"] | {"shaped": 0.5}}


class TestWrapperThatReplacesAMember(TeachableContract):
    def make_env(self):
        return Shaped(make_robot_env("task=reach"))

    def test_the_outermost_layer_that_has_a_member_gives_it(self, env):
        assert teachable(env).reward_terms[-1] == "shaped"
        assert teachable(env.unwrapped).reward_terms == teachable(env).reward_terms[:-1]


def test_an_arms_motion_is_ramped_and_its_gripper_is_not():
    env = make_robot_env("task=pick_place")
    assert teachable(env).motion_entries.tolist() == [True] * 6 + [False]
    env.close()


def test_what_an_action_of_a_foreign_environment_means_is_not_known():
    assert teachable(PointEnv()).motion_entries.tolist() == [False, False]


def test_an_environment_without_a_robot_needs_a_period_alone():
    class Bare(gymnasium.Env):
        action_space = gymnasium.spaces.Box(-1.0, 1.0, (3,), np.float32)
        control_period_s = 0.1

    env = teachable(Bare())
    assert (env.clock, env.lockstep, env.field_specs, env.command_size, env.reward_terms) == (None, False, {}, 0, ())
    assert (env.stop_reason, env.stops, env.resume(0), env.preflight()) == (None, 0, True, "")
    assert env.motion_entries.tolist() == [False] * 3
    assert "stop" in missing_members(Bare())
    with pytest.raises(AttributeError, match="Bare: expected stop, found none"):
        env.stop("person_stop")

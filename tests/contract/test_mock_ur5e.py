import numpy as np
import pytest

from steadyhand.contracts.robot import RobotContract
from steadyhand.robot_envs.make import make_demonstrator
from steadyhand.runtime.config import compose
from tests.robot_kit import make_robot_env

EPISODES = 20


class TestMockUr5e(RobotContract):
    group = "robot=mock_ur5e"
    n_joints = 6


def test_the_flange_is_where_the_published_parameters_put_it():
    # At zero: all three lengths along the base's -x and -y, as Universal Robots' own tables have it.
    world = make_robot_env("task=reach", "robot=mock_ur5e").robot.world
    world.data.qpos[:6] = 0.0
    world.step(1)
    flange = world.data.body("hand").xpos
    expected = [-(0.425 + 0.3922), -(0.1333 + 0.0996), 0.1625 - 0.0997]
    assert flange == pytest.approx(expected, abs=2e-3)


def test_the_expert_reaches_with_it():
    overrides = ("task=reach", "robot=mock_ur5e")
    env = make_robot_env(*overrides)
    demonstrator = make_demonstrator(compose(list(overrides)), env, seed=7)
    assert len(env.gate.limits.joints.low_rad) == 6
    wins = 0
    for seed in range(EPISODES):
        observation, info = env.reset(seed=seed)
        demonstrator.reset(info)
        terminated = truncated = False
        while not (terminated or truncated):
            action = demonstrator.act(observation, info, None)
            observation, _, terminated, truncated, info = env.step(action)
        assert info["stop_reason"] == ""
        wins += terminated
    assert wins >= 0.95 * EPISODES


def test_its_joint_limits_stop_it():
    env = make_robot_env("task=reach", "robot=mock_ur5e", "robot.joint_limits.low_rad=[-6.3,-6.3,1.8,-6.3,-6.3,-6.3]")
    env.reset(seed=0)
    stopped = ""
    for _ in range(60):
        stopped = env.step(np.array([1.0, 0, 0, 0, 0, 0], np.float32))[4]["stop_reason"]
        if stopped:
            break
    assert "joint" in stopped

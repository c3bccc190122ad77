import numpy as np
import pytest

from steadyhand.robot_envs.make import make_demonstrator
from steadyhand.runtime.config import compose
from tests.robot_kit import make_robot_env

pytestmark = pytest.mark.slow


def success_rate(task: str, episodes: int, act) -> float:
    env = make_robot_env(f"task={task}")
    demonstrator = make_demonstrator(compose([f"task={task}"]), env, seed=7)
    wins = 0
    for seed in range(episodes):
        observation, info = env.reset(seed=seed)
        demonstrator.reset(info)
        terminated = truncated = False
        while not (terminated or truncated):
            observation, _, terminated, truncated, info = env.step(act(demonstrator, observation, info))
        wins += info["success"]
        if env.stop_reason is not None:
            env.resume()
    return wins / episodes


def by_hand(demonstrator, observation, info):
    return demonstrator.act(observation, info, None)


@pytest.mark.parametrize("task", ["reach", "peg_insert", "pick_place"])
def test_expert_with_a_human_hand_succeeds_98_times_in_100(task):
    assert success_rate(task, 100, by_hand) >= 0.98


@pytest.mark.parametrize("task", ["wipe", "cable_route", "plug_insert"])
def test_expert_with_a_human_hand_succeeds_in_its_first_attempts(task):
    assert success_rate(task, 3, by_hand) == 1.0


def test_going_to_the_estimate_and_pushing_is_not_enough():
    def blind(demonstrator, observation, info):
        action = np.zeros(6, np.float32)
        error = observation["hole_estimate"]
        action[:3], action[3:] = error[:3] / 0.01, error[3:] / 0.05
        if np.abs(error[:2]).max() < 0.001 and np.abs(error[3:]).max() < 0.01:
            action[2] = 1.0
        return np.clip(action, -1, 1)

    assert success_rate("peg_insert", 40, blind) < 0.6

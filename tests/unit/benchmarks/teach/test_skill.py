from collections import deque

import numpy as np
import pytest

from benchmarks.teach.skill import InsertionSkill, SkillConfig
from steadyhand.robot_envs.experts.expert import ActionScale
from tests.robot_kit import make_robot_env

EPISODES = 10
LATE = 2  # periods of 0.1 s between a sight and the hand


@pytest.fixture(scope="module")
def env():
    env = make_robot_env("task=peg_insert")
    yield env
    env.close()


def insertions(env, skill, late=LATE):
    successes = 0
    for seed in range(EPISODES):
        _, info = env.reset(seed=seed)
        skill.begin()
        seen, ended = deque(maxlen=late + 1), False
        while not ended:
            seen.append(np.array(info["truth"]["hole"]))
            action = skill.push(seen[0], 0.1).astype(np.float32)
            _, _, terminated, truncated, info = env.step(action)
            ended = terminated or truncated
        successes += bool(info["success"])
    return successes


def skill(**errors):
    return InsertionSkill(SkillConfig(**errors), ActionScale(0.01, 0.05), 0.1, np.random.default_rng(0))


@pytest.mark.slow
def test_a_late_trembling_and_misjudging_hand_inserts(env):
    assert insertions(env, skill()) >= EPISODES - 1


@pytest.mark.slow
def test_a_hand_that_never_feels_the_rim_does_not(env, monkeypatch):
    monkeypatch.setattr("benchmarks.teach.skill.FELT_S", np.inf)
    assert insertions(env, skill(misjudged_m=0.004)) <= EPISODES // 2


def test_a_deflection_is_one_of_a_cap():
    hand = skill()
    for hole in (np.full(6, 0.3), np.full(6, -0.3), np.zeros(6)):
        twist = hand.push(hole, 0.02)
        assert twist.shape == (6,)
        assert np.abs(twist).max() <= 1.0
        assert not ((np.abs(twist) > 0) & (np.abs(twist) < SkillConfig().faint)).any()

import numpy as np

from steadyhand.robot_envs.make import make_env
from steadyhand.runtime.config import compose
from tests.reward_kit import REACH, Reacher


def test_an_episode_goes_on_after_its_success_and_each_step_says_whether_the_task_is_done():
    env = make_env(compose([*REACH, "reward=open_ended"]), 0)
    try:
        observation, info = env.reset(seed=0)
        reacher, rewards = Reacher(always=True), []
        reacher.reset(info)
        truncated = False
        while not truncated:
            away = len(rewards) > 15  # leaves the goal again
            action = np.array([0, 0, -1, 0, 0, 0], np.float32) if away else reacher.act(observation, info, None)
            observation, reward, terminated, truncated, info = env.step(action)
            assert not terminated
            assert not info["success"]
            rewards.append(reward)
    finally:
        env.close()
    assert len(rewards) == 20
    assert set(rewards) == {0.0, 1.0}
    assert rewards[-1] == 0.0
    assert info["task_success"]  # the verdict that an evaluation would take

"""The observation of frames with a latency: the arm's motion is that of their exposure."""

import numpy as np
import pytest

from steadyhand.robot_envs.make import make_env
from steadyhand.runtime.build import ConfigError
from steadyhand.settings import read_settings
from tests.config_kit import composed

VIEWS = ("camera=wrist_side", "camera.views.wrist.height=16", "camera.views.wrist.width=16", "~camera.views.side")


def env_with(*overrides: str):
    return make_env(composed("task=reach", *VIEWS, *overrides), 0)


def rollout(env, n: int = 12):
    rng = np.random.default_rng(0)
    seen = [env.reset(seed=0)[0]]
    seen += [env.step(rng.uniform(-1, 1, 6).astype(np.float32))[0] for _ in range(n)]
    env.close()
    return seen


def test_without_a_latency_the_observation_is_as_before_bit_for_bit():
    for a, b in zip(rollout(env_with()), rollout(env_with("+camera.views.wrist.latency_s=0.0")), strict=True):
        assert all(np.array_equal(a[name], b[name]) for name in a)


def test_a_latency_of_one_period_gives_the_pose_of_the_step_before_and_the_wrench_of_now():
    now, late = rollout(env_with()), rollout(env_with("+camera.views.wrist.latency_s=0.1"))
    for before, here, found in zip(now[1:], now[2:], late[2:], strict=False):
        assert np.abs(found["tcp_pose"] - before["tcp_pose"]).max() < 1e-6
        assert np.abs(found["tcp_twist"] - before["tcp_twist"]).max() < 1e-5
        assert np.array_equal(found["wrench"], here["wrench"])
        assert np.array_equal(found["wrist"], here["wrist"])
        assert np.abs(found["tcp_pose"] - here["tcp_pose"]).max() > 1e-3
    assert np.abs(late[0]["tcp_pose"]).max() < 1e-3


def test_half_a_period_is_between_the_two():
    now, late = rollout(env_with()), rollout(env_with("+camera.views.wrist.latency_s=0.05"))
    for before, here, found in zip(now[1:], now[2:], late[2:], strict=False):
        middle = 0.5 * (before["tcp_pose"] + here["tcp_pose"])
        assert np.linalg.norm(found["tcp_pose"][:3] - middle[:3]) < 0.003


def test_the_schema_says_that_it_is_another_quantity():
    frames = [env_with(*words).field_specs["tcp_pose"][1] for words in ((), ("+camera.views.wrist.latency_s=0.05",))]
    assert frames == ["start pose", "start pose, at exposure"]


def test_success_and_safety_use_the_newest_state():
    env = env_with("+camera.views.wrist.latency_s=0.1")
    env.reset(seed=0)
    seen = []
    evaluate = env._task.evaluate
    env._task.evaluate = lambda state, workpieces: seen.append(state) or evaluate(state, workpieces)
    env.step(np.ones(6, np.float32))
    assert seen[-1] is env._state
    env.close()


@pytest.mark.parametrize("latency_s", ["-0.1", "1.5", "nan"])
def test_a_latency_out_of_range_is_refused(latency_s):
    with pytest.raises(ConfigError, match="latency_s"):
        read_settings(composed("task=reach", *VIEWS, f"+camera.views.wrist.latency_s={latency_s}"))

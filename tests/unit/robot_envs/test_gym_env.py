import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env

from steadyhand.robot_envs.make import make_corrector, make_demonstrator, make_env
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose


class PointEnv(gymnasium.Env):
    """A foreign environment with a Dict observation and an action in its own units."""

    def __init__(self) -> None:
        self.observation_space = spaces.Dict(
            {"place": spaces.Box(-np.inf, np.inf, (2,), np.float64), "eye": spaces.Box(0, 255, (8, 8, 3), np.uint8)}
        )
        self.action_space = spaces.Box(np.array([-2.0, 0.0]), np.array([2.0, 10.0]), dtype=np.float64)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = self.np_random.uniform(-1, 1, 2)
        return self._look(), {"secret": 1}

    def step(self, action):
        self.last = np.array(action)
        self.place = self.place * 0.5
        done = bool(np.abs(self.place).max() < 0.05)
        return (
            self._look(),
            float(done),
            False,
            False,
            {"is_success": done, "progress": float(np.abs(self.place).max())},
        )

    def _look(self):
        return {"place": self.place.copy(), "eye": np.zeros((8, 8, 3), np.uint8)}


class PointExpert:
    def reset(self, info):
        assert info == {"secret": 1}

    def act(self, observation, info):
        assert observation["place"].dtype == np.float64
        return np.array([2.0, 5.0])


class Discrete(gymnasium.Env):
    observation_space = spaces.Box(-1, 1, (2,), np.float32)
    action_space = spaces.Discrete(3)


HERE = __name__


def gym_config(*overrides):
    return compose(["task=gym", f"task.entry_point={HERE}:PointEnv", *overrides])


def test_dict_observation_becomes_vectors_and_frames():
    env = make_env(gym_config("task.max_steps=5"), 0)
    check_env(env, skip_render_check=True)
    observation, _ = env.reset(seed=0)
    assert observation["place"].dtype == np.float32
    assert observation["eye"].shape == (8, 8, 3)


def test_finite_bounds_give_the_scale_of_a_reading():
    pendulum = make_env(compose(["task=gym", "task.entry_point=gymnasium:make", "task.arguments={id:Pendulum-v1}"]), 0)
    assert pendulum.field_specs["state"][2] == (0.5, 0.5, 4.0)
    cart = make_env(
        compose(["task=gym", "task.entry_point=gymnasium:make", "task.arguments={id:MountainCarContinuous-v0}"]), 0
    )
    assert cart.field_specs["state"][2] == pytest.approx((0.6, 0.035))
    assert make_env(gym_config(), 0).field_specs["eye"][2] == ()


def test_action_is_scaled_to_the_inner_bounds():
    env = make_env(gym_config(), 0)
    env.reset(seed=0)
    env.step(np.array([-1.0, 1.0], np.float32))
    assert env.inner.unwrapped.last == pytest.approx([-2.0, 10.0])
    env.step(np.array([0.0, 0.0], np.float32))
    assert env.inner.unwrapped.last == pytest.approx([0.0, 5.0])


class Grabby(PointEnv):
    """Writes into the action that it was given."""

    def step(self, action):
        result = super().step(action)
        action[:] = 99.0
        return result


def test_the_command_is_recorded_as_it_was_given():
    env = make_env(compose(["task=gym", f"task.entry_point={HERE}:Grabby"]), 0)
    env.reset(seed=0)
    assert env.step(np.array([-1.0, 1.0], np.float32))[4]["gated_command"] == pytest.approx([-2.0, 10.0])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_action_that_is_not_finite_never_reaches_the_inner_environment(value):
    env = make_env(gym_config(), 0)
    env.reset(seed=0)
    env.step(np.zeros(2, np.float32))
    before = env.inner.unwrapped.last
    _, reward, terminated, truncated, info = env.step(np.array([0.0, value], np.float32))
    assert (reward, terminated, truncated, info["stop_reason"]) == (0.0, False, True, "non_finite_action")
    assert env.inner.unwrapped.last is before


def test_success_from_info_can_terminate_and_give_a_sparse_reward():
    env = make_env(gym_config("task.reward=success", "task.terminate_on_success=true"), 0)
    env.reset(seed=0)
    for _ in range(20):
        _, reward, terminated, _, info = env.step(np.zeros(2, np.float32))
        assert info["success"] == terminated == bool(reward)
        if terminated:
            return
    pytest.fail("the point reaches the middle within 20 steps")


def test_success_from_reward_needs_its_streak():
    config = compose(
        [
            "task=gym",
            "task.entry_point=gymnasium:make",
            "task.arguments={id:Pendulum-v1}",
            "task.success_reward=-100",
            "task.success_steps=3",
        ]
    )
    env = make_env(config, 0)
    env.reset(seed=0)
    assert [env.step(np.zeros(1, np.float32))[4]["success"] for _ in range(4)] == [False, False, True, True]


def test_expert_sees_its_own_world_and_its_action_is_normalised():
    config = gym_config(f"task.expert={HERE}:PointExpert", "device.demonstrator.noise=0.0")
    env = make_env(config, 0)
    demonstrator = make_demonstrator(config, env, 0)
    observation, info = env.reset(seed=0)
    demonstrator.reset(info)
    assert demonstrator.act(observation, info, None) == pytest.approx([1.0, 0.0])
    assert make_corrector(config, env, 0).act(observation, info, np.zeros(2, np.float32)) is None


def test_demonstrations_without_an_expert_are_refused():
    config = gym_config()
    with pytest.raises(ConfigError, match=r"task\.expert"):
        make_demonstrator(config, make_env(config, 0), 0)


@pytest.mark.parametrize(
    ("override", "word"),
    [
        (f"task.entry_point={HERE}:Discrete", "bounded Box"),
        ("task.entry_point=nowhere_at_all:make", "cannot import"),
        (f"task.entry_point={HERE}:Nothing", "has no"),
        ("task.entry_point=just_a_word", "package.module:name"),
        ("task.entry_point='.relative:make'", "package.module:name"),
        ("task.entry_point='a..b:make'", "package.module:name"),
        ("task.entry_point='os:path.join'", "package.module:name"),
        ("task.entry_point='os:system(1)'", "package.module:name"),
        ("task.entry_point='/tmp/evil.py:make'", "package.module:name"),
    ],
)
def test_what_cannot_be_taught_is_refused_in_one_line(override, word):
    with pytest.raises(ConfigError, match=word) as caught:
        make_env(gym_config(override), 0)
    assert "\n" not in str(caught.value)

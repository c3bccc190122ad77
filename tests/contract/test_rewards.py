"""Every shipped reward keeps the contract, and so does one from outside the repository."""

import textwrap

import numpy as np
import pytest
import torch
from torch import nn

from steadyhand.actor.env_schema import env_schema
from steadyhand.contracts.reward import RewardContract
from steadyhand.robot_envs.make import make_env
from steadyhand.robot_envs.rewards.reward import SeenField, find_reward
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.classifier_manifest import ReadField
from steadyhand.runtime.config import compose
from steadyhand.settings import read_settings
from tests.classifier_kit import write_classifier


class TestTask(RewardContract):
    group = "reward=task"


class TestOpenEnded(RewardContract):
    group = "reward=open_ended"


class Sum(nn.Module):
    """The first number of a state as a probability, a little moved by a frame."""

    def forward(self, state, frame):
        return torch.sigmoid(state[:1] + 0.001 * frame.float().mean())


class TestClassifier(RewardContract):
    group = "reward=classifier"
    fields = {
        "state": SeenField((3,), "float32", "tool"),
        "frame": SeenField((8, 8, 3), "uint8", "camera"),
        "other": SeenField((2,), "float32"),
    }
    reads = ("state", "frame")

    @pytest.fixture(autouse=True)
    def _model(self, tmp_path):
        fields = tuple(ReadField(name, *self.fields[name]) for name in self.reads)
        path = write_classifier(tmp_path / "model.onnx", Sum(), fields)
        rule = ("reward.confirm_steps=2", "reward.window_steps=3", "reward.hold_s=0.1")
        self.overrides = (f"reward.model={path}", *rule, "reward.record_probability=true")


OWN = """
from dataclasses import dataclass

import numpy as np

from steadyhand.robot_envs.rewards.reward import Reward, Score


@dataclass(frozen=True)
class Settings:
    limit_m: float


class Low(Reward):
    settings_type = Settings
    reward_terms = ("height",)

    def __init__(self, settings):
        self._settings = settings

    def score(self, observation, state, outcome, info):
        height = float(np.linalg.norm(observation["goal"]))
        return Score(-height, height < self._settings.limit_m, {"height": height})
"""


@pytest.fixture
def own_reward(tmp_path, monkeypatch):
    """A reward as a user writes it: one file, and one YAML file in a folder of their own."""
    (tmp_path / "reward").mkdir()
    (tmp_path / "low_reward.py").write_text(textwrap.dedent(OWN))
    (tmp_path / "reward" / "low.yaml").write_text("entry_point: low_reward:Low\nlimit_m: 10.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("STEADYHAND_CONFIG", str(tmp_path))


class TestOwn(RewardContract):
    group = "reward=low"
    fields = {"goal": SeenField((3,), "float32")}

    @pytest.fixture(autouse=True)
    def _own(self, own_reward):
        pass


def test_a_reward_of_the_users_own_is_one_file_and_one_config(own_reward):
    config = compose(["task=reach", "reward=low"])
    read_settings(config)
    env = make_env(config, 0)
    try:
        assert env_schema(env).reward_terms == ("reached", "height")
        observation, _ = env.reset(seed=0)
        observation, reward, terminated, _, info = env.step(np.zeros(6, np.float32))
        distance = float(np.linalg.norm(observation["goal"]))
        assert reward == pytest.approx(-distance)
        assert (terminated, info["success"], info["judged_by"]) == (True, True, "reward")
        assert info["task_success"] is (info["reward_terms"]["reached"] == 1.0)
        assert info["reward_terms"]["height"] == pytest.approx(distance)
    finally:
        env.close()


@pytest.mark.parametrize(
    ("entry_point", "reason"),
    [
        ("steadyhand.robot_envs.tasks.reach:Reach", "expected a class derived from Reward"),
        ("steadyhand.robot_envs.rewards.task", "expected package.module:name"),
        ("steadyhand.robot_envs.rewards.task:Missing", "has no 'Missing'"),
        ("no_such_package.reward:Mine", "cannot import 'no_such_package.reward'"),
    ],
)
def test_an_entry_point_that_is_no_reward_is_one_line(entry_point, reason):
    with pytest.raises(ConfigError, match=reason) as caught:
        find_reward(compose([f"reward.entry_point={entry_point}"])["reward"])
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("reward.entry_point: ")


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["reward=task", "+reward.bonus=1"], "expected no settings, as TaskReward has none, found bonus"),
        (["reward=classifier", "reward.model=m.onnx", "reward.threshold=0.0"], "threshold: expected a number above 0"),
        (["reward=classifier", "reward.model=m.onnx", "reward.confirm_steps=0"], "confirm_steps: expected at least 1"),
        (["reward=task", "reward.entry_point=not an entry point"], "expected package.module:Class"),
    ],
)
def test_wrong_settings_are_refused_before_anything_moves(overrides, reason):
    with pytest.raises(ConfigError, match=reason):
        read_settings(compose(overrides))

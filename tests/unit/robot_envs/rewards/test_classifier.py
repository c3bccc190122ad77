import numpy as np
import pytest
import torch
from torch import nn

from steadyhand.learner.onnx_export import onnx_bytes
from steadyhand.robot_envs.make import make_env
from steadyhand.robot_envs.rewards.classifier import ClassifierReward, ClassifierRewardSettings
from steadyhand.robot_envs.tasks.task import Outcome
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose

NOTHING = Outcome(0.0, False, 0.0)


class First(nn.Module):
    def forward(self, state):
        return state[0].clone().reshape(())


@pytest.fixture
def model(tmp_path):
    """A model whose probability is the first number of `state`."""
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_bytes(First(), [torch.zeros(2)], ["state"], "probability", {}))
    return path


def make(model, threshold=0.75, success_steps=3, record=False) -> ClassifierReward:
    return ClassifierReward(ClassifierRewardSettings(str(model), threshold, success_steps, record))


def scores(reward, probabilities):
    return [
        reward.score({"state": np.array([p, 0.0], np.float32), "unread": None}, None, NOTHING, {})
        for p in probabilities
    ]


def test_so_many_positive_steps_in_a_row_are_a_success(model):
    found = scores(make(model), [0.75, 0.9, 0.5, 0.9, 0.9, 0.75, 1.0, 0.0])
    assert [score.success for score in found] == [False] * 5 + [True, True, False]
    assert [score.reward for score in found] == [0.0] * 5 + [1.0, 1.0, 0.0]
    assert found[5].confidence == 0.75
    assert found[2].confidence == 0.5


def test_a_new_episode_forgets_the_steps_before(model):
    reward = make(model)
    scores(reward, [1.0, 1.0])
    reward.begin()
    assert not scores(reward, [1.0])[0].success


def test_a_probability_that_is_not_a_number_is_no_success(model):
    found = scores(make(model, success_steps=1), [1.0, float("nan"), 1.0])
    assert [score.success for score in found] == [True, False, True]
    assert found[1].reward == 0.0


def test_the_probability_is_recorded_where_that_is_wanted(model):
    assert make(model).reward_terms == ()
    reward = make(model, record=True)
    assert reward.reward_terms == ("success_probability",)
    assert scores(reward, [0.25])[0].terms == {"success_probability": 0.25}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"place": ((2,), "float32")}, "expected an observation state, found only place"),
        ({"state": ((3,), "float32")}, r"expected state as float32 of shape \(2,\), found float32 of shape \(3,\)"),
        ({"state": ((2,), "uint8")}, r"found uint8 of shape \(2,\)"),
    ],
)
def test_an_environment_that_it_cannot_read_is_refused(model, fields, reason):
    with pytest.raises(ConfigError, match=reason):
        make(model).check(fields)


def test_the_environment_refuses_it_when_it_is_made(model):
    config = compose(["task=reach", "reward=classifier", f"reward.model={model}"])
    with pytest.raises(ConfigError, match="expected an observation state, found only"):
        make_env(config, 0)


def test_another_file_is_refused_before_it_is_read_as_a_graph(model, tmp_path):
    with pytest.raises(ConfigError, match=r"reward.model: expected a classifier .* found .*none.onnx"):
        make(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("a text")
    with pytest.raises(ConfigError, match="found 6 bytes of something else"):
        make(tmp_path / "text.onnx")
    raw = bytearray(model.read_bytes())
    raw[len(raw) // 2] ^= 1
    (tmp_path / "damaged.onnx").write_bytes(raw)
    with pytest.raises(ConfigError, match="found a damaged one"):
        make(tmp_path / "damaged.onnx")
    (tmp_path / "policy.onnx").write_bytes(onnx_bytes(First(), [torch.zeros(2)], ["state"], "action", {}))
    with pytest.raises(ConfigError, match="with the output action"):
        make(tmp_path / "policy.onnx")

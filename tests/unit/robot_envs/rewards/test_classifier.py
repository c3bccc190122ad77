import dataclasses
import logging

import numpy as np
import pytest

from steadyhand.robot_envs.make import make_env
from steadyhand.robot_envs.rewards.classifier import ClassifierReward, ClassifierRewardSettings
from steadyhand.robot_envs.rewards.reward import LAST_STEP, SeenField
from steadyhand.robot_envs.tasks.task import Outcome
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.config import compose
from tests.classifier_kit import Both, write_classifier

NOTHING = Outcome(0.0, False, 0.0)
CONFIG = {**compose(["reward=classifier", "reward.model=none.onnx", "reward.hold_s=0.0"])["reward"]}
CONFIG.pop("entry_point")
SETTINGS = build(ClassifierRewardSettings, CONFIG, "reward")


@pytest.fixture
def model(tmp_path):
    """A model whose probability is the first number of `state`."""
    return write_classifier(tmp_path / "model.onnx")


def make(model, **settings) -> ClassifierReward:
    reward = ClassifierReward(dataclasses.replace(SETTINGS, model=str(model), **settings))
    reward.set_period(0.1)
    return reward


def scores(reward, probabilities, last=None):
    return [
        reward.score(
            {"state": np.array([p, 0.0], np.float32), "unread": None}, None, NOTHING, {LAST_STEP: step == last}
        )
        for step, p in enumerate(probabilities)
    ]


def test_so_many_positive_steps_in_a_row_are_a_success_at_the_threshold_of_the_file(model):
    found = scores(make(model), [0.75, 0.9, 0.5, 0.9, 0.9, 0.75, 1.0, 0.0])
    assert [score.success for score in found] == [False] * 5 + [True, True, False]
    assert [score.reward for score in found] == [0.0] * 5 + [1.0, 1.0, 0.0]
    assert found[5].confidence == 0.75
    assert found[2].confidence == 0.5


def test_the_threshold_of_the_settings_counts_before_that_of_the_file(model):
    assert not any(score.success for score in scores(make(model, threshold=0.9), [0.8] * 6))
    assert scores(make(model, threshold=0.5, confirm_steps=1, window_steps=1), [0.6])[0].success


def test_k_positive_steps_of_the_newest_n_are_enough(model):
    found = scores(make(model, confirm_steps=2, window_steps=4), [1, 0, 0, 1, 0, 0, 0, 1, 1])
    assert [score.success for score in found] == [False] * 3 + [True] + [False] * 4 + [True]


def test_a_success_has_to_be_held_for_its_time(model):
    reward = make(model, confirm_steps=2, window_steps=2, hold_s=0.25)
    assert reward.needed_steps == 5
    found = scores(reward, [1, 1, 1, 1, 0, 1, 1, 1, 1, 1])
    assert [score.success for score in found] == [False] * 9 + [True]


def test_terminal_only_gives_its_reward_in_the_last_step_alone(model):
    reward = make(model, terminal_only=True)
    found = scores(reward, [1.0] * 6, last=5)
    assert [score.reward for score in found] == [0.0] * 5 + [1.0]
    assert [score.success for score in found] == [False] * 5 + [True]
    reward.begin()
    assert scores(reward, [1.0, 1.0, 1.0, 0.0], last=3)[-1] == dataclasses.replace(
        found[0], reward=0.0, success=False, confidence=1.0
    )


def test_a_stage_is_rewarded_once_an_episode_and_a_later_one_contains_it(tmp_path):
    stages = ("grasped", "placed")
    model = write_classifier(tmp_path / "two.onnx", Both(), stages=stages, thresholds=(0.5, 0.75))
    reward = make(model, confirm_steps=1, window_steps=1, stage_reward=0.25)
    assert (reward.stages, reward.thresholds) == (stages, (0.5, 0.75))

    def episode(*steps):
        reward.begin()
        return [reward.score({"state": np.array(p, np.float32)}, None, NOTHING, {}) for p in steps]

    found = episode((0.4, 0.0), (0.6, 0.0), (0.0, 0.0), (0.6, 0.7), (0.9, 0.8))
    assert [score.reward for score in found] == [0.0, 0.25, 0.0, 0.0, 1.0]
    assert [score.success for score in found] == [False] * 4 + [True]
    assert [score.reward for score in episode((0.0, 0.9))] == [1.25]


def test_a_new_episode_forgets_the_steps_before(model):
    reward = make(model)
    scores(reward, [1.0, 1.0])
    reward.begin()
    assert not scores(reward, [1.0])[0].success


def test_a_probability_that_is_not_a_number_is_no_success(model):
    found = scores(make(model, confirm_steps=1, window_steps=1), [1.0, float("nan"), 1.0])
    assert [score.success for score in found] == [True, False, True]
    assert found[1].reward == 0.0


def test_the_probability_is_recorded_where_that_is_wanted(model):
    assert make(model).reward_terms == ()
    reward = make(model, record_probability=True)
    assert reward.reward_terms == ("success_probability",)
    assert scores(reward, [0.25])[0].terms == {"success_probability": 0.25}


def test_another_file_and_other_settings_have_another_fingerprint(model, tmp_path):
    first = make(model).fingerprint
    assert make(model).fingerprint == first
    assert make(model, record_probability=True).fingerprint == first  # it changes no reward
    assert make(model, confirm_steps=2).fingerprint != first
    assert make(write_classifier(tmp_path / "other.onnx", thresholds=(0.7,))).fingerprint != first


def test_a_classifier_that_gets_uncertain_is_reported_once(model, caplog):
    reward = make(model, certainty_steps=10)
    with caplog.at_level(logging.WARNING):
        scores(reward, [0.99] * 10 + [0.6] * 30)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 1
    assert "expected a classifier as certain as on its held-out episodes (0.90)" in lines[0]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"place": SeenField((2,), "float32")}, "expected an observation state, found only place"),
        (
            {"state": SeenField((3,), "float32")},
            r"expected state as float32 of shape \(2,\), found as float32 of shape \(3,\)",
        ),
        ({"state": SeenField((2,), "uint8")}, r"found as uint8 of shape \(2,\)"),
        ({"state": SeenField((2,), "float32", "tool")}, "expected state in the frame , found in the frame tool"),
    ],
)
def test_an_environment_that_it_cannot_read_is_refused(model, fields, reason):
    with pytest.raises(ConfigError, match=reason):
        make(model).check(fields)


def test_the_environment_refuses_it_when_it_is_made(model):
    config = compose(["task=reach", "reward=classifier", f"reward.model={model}"])
    with pytest.raises(ConfigError, match="expected an observation state, found only"):
        make_env(config, 0)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"window_steps": 2}, "window_steps: expected at least 3, found 2"),
        ({"hold_s": -0.1}, r"hold_s: expected a number within \[0, 60\]"),
        ({"stage_reward": 1.5}, "stage_reward: expected"),
        ({"threshold": 0.0}, "threshold: expected a number above 0"),
        ({"certainty_margin": 0.0}, "certainty_margin: expected a number above 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        dataclasses.replace(SETTINGS, **settings)

import pytest

from steadyhand.doctor import Level
from steadyhand.doctor.configuration import check_config, check_reward, check_task
from tests.unit.steadyhand.doctor.kit import config


def test_the_defaults_are_taken():
    assert check_config(config()).level is Level.OK
    assert "peg_insert" in check_config(config()).found
    assert check_task(config()).level is Level.OK
    assert check_reward(config()).level is Level.OK


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["learner.utd_ratio=-1"], "learner"),
        (["safety.max_force_n=x"], "safety.max_force_n"),
        (["device=gamepad", "device.retry_s=0"], "retry_s"),
    ],
)
def test_a_value_that_no_part_takes_is_named(overrides, expected):
    finding = check_config(config(*overrides))
    assert finding.level is Level.BROKEN
    assert expected in finding.found


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("task.entry_point=nowhere:Task", "nowhere"),
        ("task.expert=steadyhand.robot_envs.experts.reach:Nobody", "Nobody"),
        ("task.drive.max_steps=many", "max_steps"),
    ],
)
def test_a_task_that_cannot_be_made_is_named(override, expected):
    finding = check_task(config(override))
    assert finding.level is Level.BROKEN
    assert expected in finding.found


def test_a_foreign_environment_is_a_task_too():
    assert check_task(config("task=gym", "task.entry_point=gymnasium:make")).level is Level.OK


def test_a_reward_whose_file_is_missing_is_named():
    finding = check_reward(config("reward=classifier", "reward.model=/nowhere/model.onnx"))
    assert finding.level is Level.BROKEN
    assert "/nowhere/model.onnx" in finding.found

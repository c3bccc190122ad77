"""Task, robot, limits and device have to agree on the number of arms; each disagreement is one line."""

import pytest

from steadyhand.robot_envs.make import make_env
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from steadyhand.settings import read_settings

REFUSED = [
    (["task=handover", "robot=mock"], "robot: expected a robot of two arms for this task, found mock_fr3 with one arm"),
    (["task=reach", "robot=mock_pair"], "robot: expected a robot of one arm for this task, found mock_fr3_pair"),
    (["task=handover", "safety=default"], "safety.arms: expected limits for two arms .*; give safety=pair"),
    (["task=reach", "safety=pair"], "safety.arms: expected limits for one arm .*; give safety=default"),
    (["task=reach", "device=pair"], "device: expected a device for one arm of mock_fr3, found pair for two arms"),
    (["task=handover", "device=udp"], "device: expected a device for two arms .* found udp for one arm; .*device=pair"),
    (["task=handover", "device=joy"], "found joy for one arm"),
    (["task=handover", "gap=mild"], "gap: expected a simulated arm, .* mock_fr3_pair, which has no gap"),
]


@pytest.mark.parametrize(("overrides", "reason"), REFUSED, ids=[" ".join(overrides) for overrides, _ in REFUSED])
def test_what_does_not_fit_is_refused_before_anything_is_opened(overrides, reason):
    with pytest.raises(ConfigError, match=reason):
        read_settings(compose(overrides))


@pytest.mark.parametrize("overrides", [REFUSED[0][0], REFUSED[2][0], REFUSED[4][0]])
def test_an_environment_refuses_the_same(overrides):
    with pytest.raises(ConfigError, match="expected"):
        make_env(compose(overrides), 0)


@pytest.mark.parametrize("overrides", [["task=handover"], ["task=handover", "device=pair"], ["task=reach"]])
def test_what_fits_is_accepted(overrides):
    settings = read_settings(compose(overrides))
    assert len(settings.safety.each_arm) == settings.task.arms


def test_a_task_for_two_arms_chooses_robot_and_limits():
    config = compose(["task=handover"])
    assert config["robot"]["name"] == "mock_fr3_pair"
    assert list(config["safety"]["arms"]) == ["left", "right"]

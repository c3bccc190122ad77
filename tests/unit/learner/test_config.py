from dataclasses import asdict

import pytest

from steadyhand.learner.algos.algorithm import Algorithm, find_algorithm
from steadyhand.learner.config import LearnerConfig
from steadyhand.policies.config import PolicyConfig
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.config import compose


@pytest.mark.parametrize("option", ["sac", "rlpd", "bc"])
def test_algorithms_compose(option):
    assert issubclass(find_algorithm(compose([f"algo={option}"])["algo"]).type, Algorithm)


def test_rlpd_is_sac_with_a_few_lines():
    sac, rlpd = (asdict(find_algorithm(compose([f"algo={option}"])["algo"]).settings) for option in ("sac", "rlpd"))
    differing = {name: value for name, value in rlpd.items() if value != sac[name]}
    assert differing.items() >= {"demo_ratio": 0.5, "critic_layer_norm": True}.items()
    assert len(differing) <= 8


def test_the_other_groups_compose():
    build(LearnerConfig, compose([])["learner"], "learner")
    for option in ("state", "pixels"):
        build(PolicyConfig, compose([f"policy={option}"])["policy"], "policy")


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("algo.num_min=3", "num_min"),
        ("algo.demo_ratio=1.5", "demo_ratio"),
        ("algo.gamma=0", "gamma"),
        ("algo.critic_head=quantile", "hl_gauss"),
        ("algo.target_clip=[1.0,0.0]", "target_clip"),
        ("algo.target_clip=[0.0]", "target_clip"),
        ("algo.actor_q=max", "mean"),
        ("algo.num_bins=3", "num_bins"),
        ("algo.policy_delay=0", "policy_delay"),
    ],
)
def test_an_impossible_algorithm_is_refused(override, named):
    with pytest.raises(ConfigError, match=named):
        find_algorithm(compose(["algo=rlpd", override])["algo"])


@pytest.mark.parametrize("override", ["learner.utd_ratio=0", "learner.device=tpu", "learner.normaliser_std_floor=0"])
def test_an_impossible_learner_is_refused(override):
    with pytest.raises(ConfigError, match=override.split("=")[0].split(".")[1]):
        build(LearnerConfig, compose([override])["learner"], "learner")


def test_a_clip_may_be_given():
    settings = find_algorithm(compose(["algo=rlpd", "algo.target_clip=[0, 1]"])["algo"]).settings
    assert settings.target_clip == (0.0, 1.0)

import numpy as np
import pytest
import torch

from steadyhand.learner.algos.algorithm import find_algorithm
from steadyhand.learner.algos.hg_dagger import HgDagger, HgDaggerSettings
from steadyhand.policies import Policy
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from tests.settings_kit import shipped


@pytest.fixture
def make_algo(make_spec):
    def make(pixels=False, **changes):
        settings = shipped(HgDaggerSettings, "algo", "algo=hg_dagger", **({"loss": "mse", "policy_lr": 1e-2} | changes))
        return HgDagger(settings, Policy(make_spec(pixels)), seed=0)

    return make


def shown(block, demos, corrections):
    """Mark the first rows as demonstrations, and the next ones as corrections."""
    rows = np.arange(len(block["reward"]))
    block["is_correction"] = (rows >= demos) & (rows < demos + corrections)
    block["is_demo"] = rows < demos + corrections
    return block


def weights_of(algo):
    return {name: value.copy() for name, value in algo.policy_tensors().items()}


def is_same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(("corrections", "learns"), [(0, False), (1, True)])
def test_online_it_learns_from_blocks_with_a_correction_alone(make_algo, make_spec, make_block, corrections, learns):
    algo = make_algo()
    before = weights_of(algo)
    metrics = algo.update(shown(make_block(make_spec()), 8, corrections))
    assert is_same(before, weights_of(algo)) != learns
    assert float(metrics["correction_share"]) == corrections / 16


def test_demonstrations_alone_are_cloned_before_practice(make_algo, make_spec, make_block):
    algo = make_algo()
    before = weights_of(algo)
    algo.pretrain(shown(make_block(make_spec()), 16, 0))
    assert not is_same(before, weights_of(algo))


def test_neither_the_policys_own_actions_nor_rewards_change_what_it_learns(make_algo, make_spec, make_block):
    found = []
    for changed in (False, True):
        algo, block = make_algo(), shown(make_block(make_spec()), 6, 4)
        if changed:
            block["reward"] = 7.0 - block["reward"]
            block["discount"][:] = 0.5
            block["action"][10:] *= -1.0
        algo.update(block)
        found.append(weights_of(algo))
    assert is_same(*found)


@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_a_correction_has_its_weight_beside_a_demonstration(make_algo, make_spec, make_block, weight):
    algo, block = make_algo(correction_weight=weight), shown(make_block(make_spec()), 6, 4)
    with torch.no_grad():
        mode = algo.policy.mode({key: torch.as_tensor(value) for key, value in block["observation"].items()})
        error = (mode - torch.as_tensor(block["action"])).square()
    expected = (error[:6].sum() + weight * error[6:10].sum()) / (6 + weight * 4)
    metrics = algo.update(block)
    torch.testing.assert_close(metrics["bc_loss"], expected)


def test_the_metric_of_corrections_falls_while_they_are_learned(make_algo, make_spec, make_block):
    algo, block = make_algo(), shown(make_block(make_spec()), 6, 4)
    errors = [float(algo.update(block)["correction_error"]) for _ in range(100)]
    assert errors[-1] < 0.2 * errors[0]


def test_the_encoder_learns_from_corrections_too(make_algo, make_spec, make_block):
    algo = make_algo(pixels=True)
    before = weights_of(algo)
    algo.update(shown(make_block(make_spec(pixels=True)), 6, 4))
    after = weights_of(algo)
    assert {name for name in before if not np.array_equal(before[name], after[name])} == set(before)


def test_a_weight_of_zero_is_refused():
    with pytest.raises(ConfigError, match="correction_weight"):
        find_algorithm(compose(["algo=hg_dagger", "algo.correction_weight=0.0"])["algo"])

import numpy as np
import pytest
import torch

from steadyhand.contracts.algorithm import random_block
from steadyhand.learner.algos.algorithm import find_algorithm
from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.iql import advantage_weight, expectile_loss
from steadyhand.policies import Policy
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose


@pytest.fixture
def make_iql(make_spec):
    def make(*overrides):
        words = ("algo=iql", "algo.batch_size=64", "algo.critic_lr=0.003", "algo.policy_lr=0.003", *overrides)
        return find_algorithm(compose(words)["algo"]).make(Policy(make_spec(), 0), 0)

    return make


def test_the_expectile_weighs_a_value_that_is_too_low_more():
    low, high = expectile_loss(torch.tensor([1.0]), 0.9), expectile_loss(torch.tensor([-1.0]), 0.9)
    assert (float(low), float(high)) == pytest.approx((0.9, 0.1))
    assert float(expectile_loss(torch.tensor([2.0, -2.0]), 0.5)) == pytest.approx(2.0)


def test_the_minimum_of_the_expectile_loss_is_the_expectile():
    draws, value = torch.rand(10_000, generator=torch.Generator().manual_seed(0)), torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([value], 0.01)
    for _ in range(600):
        optimizer.zero_grad()
        expectile_loss(draws - value, 0.9).backward()
        optimizer.step()
    assert float(value) == pytest.approx(0.75, abs=0.01)  # of the uniform distribution: sqrt(9) / (1 + sqrt(9))


def test_weights_grow_with_the_advantage_and_are_bounded():
    weight = advantage_weight(torch.tensor([-1.0, 0.0, 1.0, 50.0]), 3.0, 100.0)
    assert weight.tolist() == pytest.approx([np.exp(-3.0), 1.0, np.exp(3.0), 100.0])


def test_the_critics_target_bootstraps_the_state_value_and_is_clipped(make_iql):
    iql = make_iql()
    batch = Batch.from_block(random_block(iql.policy.spec, iql.sampling, 0), torch.device("cpu"))
    features = iql.policy.features(batch.next_observation)
    torch.nn.init.constant_(iql.value.biases[-1], 0.5)
    target = iql.td_target(batch, features)
    expected = (batch.reward + batch.discount * iql.state_value(features).mean(0)).clamp(0.0, 1.0)
    torch.testing.assert_close(target, expected)
    assert (target[batch.discount == 0.0] == batch.reward[batch.discount == 0.0]).all()


def test_no_critic_is_asked_about_an_action_that_nobody_recorded(make_iql, monkeypatch):
    iql = make_iql()
    block = random_block(iql.policy.spec, iql.sampling, 0)
    recorded = torch.as_tensor(block["action"])
    for critic in (iql.critic, iql.target_critic):
        ask = critic.forward

        def checked(features, action, *rest, ask=ask):
            torch.testing.assert_close(action, recorded)
            return ask(features, action, *rest)

        monkeypatch.setattr(critic, "forward", checked)
    iql.update(block)


def bandit(iql, seed):
    """Rows of one state: actions above 0 in their first entry are rewarded, and the episode ends."""
    block = random_block(iql.policy.spec, iql.sampling, seed)
    for part in ("observation", "next_observation"):
        block[part]["state"][:] = 0.0
    block["reward"] = (block["action"][:, 0] > 0.0).astype(np.float32)
    block["discount"][:] = 0.0
    return block


@pytest.mark.slow
@pytest.mark.parametrize(("scale", "finds_it"), [(10.0, True), (0.0, False)])
def test_it_clones_the_better_actions_of_a_log_of_good_and_bad_ones(make_iql, scale, finds_it):
    iql = make_iql(f"algo.advantage_scale={scale}", "algo.actor_loss=mse")
    for seed in range(300):
        iql.update(bandit(iql, seed))
    action = iql.policy.act({"state": np.zeros((1, 3), np.float32)}, deterministic=True)
    assert (action[0] > 0.25) == finds_it


@pytest.mark.parametrize("override", ["algo.expectile=1.0", "algo.expectile=0.3", "algo.advantage_scale=-1"])
def test_impossible_settings_are_refused(override):
    with pytest.raises(ConfigError, match=override.split("=")[0].partition(".")[2]):
        find_algorithm(compose(["algo=iql", override])["algo"])

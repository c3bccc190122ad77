import numpy as np
import pytest
import torch

from steadyhand.contracts.algorithm import random_block
from steadyhand.learner.algos.algorithm import find_algorithm
from steadyhand.learner.algos.batch import Batch
from steadyhand.policies import Policy
from steadyhand.runtime.config import compose


@pytest.fixture
def make_cal_ql(make_spec):
    def make(*overrides, group="cal_ql"):
        words = (f"algo={group}", "algo.batch_size=64", "algo.zero_init_last_layer=false", *overrides)
        return find_algorithm(compose(words)["algo"]).make(Policy(make_spec(), 0), 0)

    return make


def term(cal_ql, block):
    batch = Batch.from_block(block, torch.device("cpu"))
    features = cal_ql.policy.features(batch.observation)
    return cal_ql.conservative_term(features, batch, cal_ql.critic.q(features, batch.action))


def test_the_recorded_return_is_a_floor_under_what_is_pushed_down(make_cal_ql):
    cal_ql = make_cal_ql()
    block = random_block(cal_ql.policy.spec, cal_ql.sampling, 0)

    def slope_at_the_policys_actions(mc_return):
        block["mc_return"][:] = mc_return
        batch = Batch.from_block(block, torch.device("cpu"))
        features, asked = cal_ql.policy.features(batch.observation), []

        def q(features, action, *rest):
            asked.append(torch.zeros(2, len(action), requires_grad=True))
            return asked[-1] + 0.0

        cal_ql.critic.q = q
        cal_ql.conservative_term(features, batch, torch.zeros(2, len(batch.action))).backward()
        count = cal_ql.settings.cql_actions * len(batch.action)
        return float(asked[0].grad[:, count:].abs().sum())

    assert slope_at_the_policys_actions(-100.0) > 0.0, "no bound: plain CQL"
    assert slope_at_the_policys_actions(100.0) == 0.0, "all values are below the return that was recorded"


def test_the_term_is_the_gap_of_a_soft_maximum_by_hand(make_cal_ql, monkeypatch):
    cal_ql = make_cal_ql("algo.cql_actions=2", "algo.cql_weight=3.0")
    block = random_block(cal_ql.policy.spec, cal_ql.sampling, 0)
    block["mc_return"][:] = -100.0
    rows = cal_ql.sampling.batch_size * cal_ql.sampling.slices
    monkeypatch.setattr(cal_ql.critic, "q", lambda features, action, *rest: torch.full((2, len(action)), 0.25))
    monkeypatch.setattr(
        cal_ql, "_draw", lambda features, count: (torch.zeros(count, rows, 2), torch.zeros(count, rows))
    )
    # Six actions of value 0.25; the density of the two uniform ones is 1/4 over [-1, 1]^2, that of the others 1.
    expected = np.log((2 * np.exp(0.25) * 4 + 4 * np.exp(0.25)) / 6) - 0.25
    assert float(term(cal_ql, block)) == pytest.approx(3.0 * expected, rel=1e-5)


def test_pretraining_is_conservative_and_practice_is_not(make_cal_ql, monkeypatch):
    cal_ql = make_cal_ql()
    asked = []
    of = cal_ql.conservative_term
    monkeypatch.setattr(cal_ql, "conservative_term", lambda *given: asked.append(1) or of(*given))
    block = random_block(cal_ql.policy.spec, cal_ql.sampling, 0)
    cal_ql.pretrain(block)
    assert len(asked) == cal_ql.settings.policy_delay
    cal_ql.update(block)
    assert len(asked) == cal_ql.settings.policy_delay


@pytest.mark.slow
def test_pretraining_puts_the_policy_below_what_was_recorded(make_cal_ql):
    """After a log of one good action the recorded action stands above others; without the term it need not."""
    gaps = []
    for weight in (5.0, 0.0):
        cal_ql = make_cal_ql(f"algo.cql_weight={weight}", "algo.critic_lr=0.001")
        for seed in range(150):
            block = random_block(cal_ql.policy.spec, cal_ql.sampling, seed)
            block["action"][:] = np.array([0.5, 0.5], np.float32)
            block["reward"][:], block["discount"][:], block["mc_return"][:] = 0.5, 0.0, 0.5
            cal_ql.pretrain(block)
        batch = Batch.from_block(block, torch.device("cpu"))
        features = cal_ql.policy.features(batch.observation)
        recorded, other = (cal_ql.critic.q(features, action).mean() for action in (batch.action, -batch.action))
        gaps.append(float(recorded - other))
    assert gaps[0] > gaps[1] + 0.1


def test_wsrl_asks_for_no_row_of_the_demonstrations_once_there_is_practice(make_cal_ql):
    assert make_cal_ql(group="wsrl").sampling.demo_ratio == 0.0
    assert make_cal_ql(group="wsrl").sampling.with_returns

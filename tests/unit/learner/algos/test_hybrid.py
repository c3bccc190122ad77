from dataclasses import replace

import pytest
import torch

from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.hybrid import Hybrid, HybridSettings
from steadyhand.policies import Policy, PolicySpecError
from steadyhand.policies.mixed_action import CLOSE, OPEN, STAY
from steadyhand.runtime.build import ConfigError
from steadyhand.training_settings import compose_training_settings
from tests.settings_kit import shipped

SMALL = {
    "batch_size": 8,
    "critic_hidden": (16, 16),
    "warm_updates": 0,
    "growth_updates": 1,
    "policy_ema": 0.0,
    "target_clip": None,
}


def settings_of(**changes):
    return shipped(HybridSettings, "algo", "algo=hybrid", **(SMALL | changes))


@pytest.fixture
def make_hybrid(make_spec):
    def make(seed=0, **changes):
        settings = settings_of(**changes)
        return Hybrid(settings, Policy(settings.adapt(make_spec(gripper_entries=(1,))), seed), seed)

    return make


def batch_of(algo, block):
    return next(Batch.from_block(block, algo.device).slices(2))


def decision_loss(algo, batch):
    with torch.no_grad():
        return float(algo.loss_beside(batch, algo.policy.features(batch.observation), algo.next_step(batch))[0])


@pytest.fixture
def trained(make_hybrid, make_block):
    """An algorithm whose networks are no longer as they began, and a batch."""

    def make(**changes):
        algo = make_hybrid(**({"critic_lr": 1e-2} | changes))
        for seed in range(5):
            algo.update(make_block(algo.policy.spec, seed=seed))
        return algo, batch_of(algo, make_block(algo.policy.spec, seed=9))

    return make


def test_the_target_is_a_double_dqns_by_hand(trained):
    algo, batch = trained(gripper_penalty=0.25)
    later = algo.policy.features(batch.next_observation)
    found = algo.decision_target(batch, algo.next_step(batch))
    assert found.shape == (8, 1)
    _, _, logits = algo.policy.clone(later)
    online, target = algo.policy.decision_values(later), algo._target(later)
    assert not torch.allclose(online, target)
    for row in range(8):
        scores = torch.softmax(logits[row, 0], 0) + algo.policy.decision_gain * online[row]
        next_q = target[row, scores.argmax()]
        expected = batch.reward[row] - 0.25 * batch.gripper_changes[row, 0] + batch.discount[row] * next_q
        torch.testing.assert_close(found[row, 0], expected)


def test_only_the_recorded_decision_is_trained(trained):
    algo, batch = trained()
    batch = batch._replace(action=torch.tensor([[0.1, -1.0]] * 8))
    features = algo.policy.features(batch.observation)
    loss, _ = algo.loss_beside(batch, features, algo.next_step(batch))
    (gradient,) = torch.autograd.grad(loss, algo.policy.decision_values[-1].bias)
    assert gradient[CLOSE] != 0.0
    assert gradient[[STAY, OPEN]].tolist() == [0.0, 0.0]


def test_every_term_of_the_reward_changes_the_loss(trained):
    algo, batch = trained()
    loss = decision_loss(algo, batch)
    for name in ("reward", "discount", "gripper_changes"):
        assert decision_loss(algo, batch._replace(**{name: getattr(batch, name) + 0.5})) != loss, name


@pytest.mark.parametrize("changes", [{"gripper_penalty": 0.5}, {"decision_margin": 1e-4}, {"decision_bc_weight": 5.0}])
def test_every_setting_changes_a_step(make_hybrid, make_block, changes):
    found = []
    for settings in ({}, changes):
        algo = make_hybrid(**settings, critic_lr=1e-2)
        for seed in range(4):
            algo.update(make_block(algo.policy.spec, seed=seed))
        found.append(algo.state_tensors())
    assert any(not torch.equal(found[0][name], found[1][name]) for name in found[0] if name.startswith("policy/"))


def test_a_penalty_is_no_part_of_the_continuous_critics(trained):
    found = []
    for penalty in (0.0, 0.5):
        algo, batch = trained(gripper_penalty=penalty, decision_margin=1e9)
        found.append(algo.td_target(batch))
    assert torch.equal(*found)


def test_targets_are_within_what_can_be_reached(trained):
    algo, batch = trained(target_clip=(0.0, 1.0), gripper_penalty=0.1, gamma=0.9)
    low, high = (batch._replace(reward=torch.full((8,), reward)) for reward in (-5.0, 5.0))
    later = algo.next_step(batch)
    assert algo.decision_target(low, later).min() == pytest.approx(-1.0)
    assert algo.decision_target(high, later).max() == pytest.approx(1.0)


def test_pretraining_clones_the_decisions_shown(make_hybrid, make_block):
    algo = make_hybrid(policy_lr=3e-3)
    block = make_block(algo.policy.spec)
    block["is_demo"][:] = True
    block["action"][:, 1] = 2.0 * (block["observation"]["state"][:, 0, 0] > 0.0) - 1.0
    for _ in range(200):
        metrics = algo.pretrain(block)
    batch = Batch.from_block(block, algo.device)
    assert torch.equal(algo.policy.mode(batch.observation)[:, 1], batch.action[:, 1])
    assert metrics["decision_error"] == 0.0
    assert algo.policy.decision_gain == 0.0, "the critic does not decide before practice"


def test_online_rows_are_not_imitated(make_hybrid, make_block):
    algo = make_hybrid()
    block = make_block(algo.policy.spec)
    block["is_demo"][:] = False
    before = [value.clone() for value in algo.policy.trunk.parameters()]
    assert algo.update(block)["decision_bc_loss"] == 0.0
    assert all(map(torch.equal, before, algo.policy.trunk.parameters()))


def test_the_weight_of_the_critic_grows_with_practice_and_waits_with_it(make_hybrid, make_block):
    algo = make_hybrid(warm_updates=1, growth_updates=4, decision_margin=0.25)
    gains = []
    for seed in range(4):
        algo.update(make_block(algo.policy.spec, seed=seed))
        algo._size.fill_(0.5)
        gains.append(algo.policy.decision_gain.item())
    sizes = [gain and 4.0 * share / gain for gain, share in zip(gains, (0.25, 0.5, 0.75, 1.0), strict=True)]
    assert gains[0] == 0.0
    assert sizes[1:] == pytest.approx([0.5] * 3, abs=0.01)
    assert algo.policy_tensors()["decision_gain"] == gains[-1], "actors get it with the weights"


def test_the_critic_learns_the_decision_that_pays_and_overrules_an_unsure_clone(make_hybrid, make_block):
    algo = make_hybrid(critic_lr=3e-3, gripper_penalty=0.0, decision_margin=0.01)
    block = make_block(algo.policy.spec, rows=16)
    block["is_demo"][:] = False
    block["discount"][:] = 0.0
    block["reward"][:] = (block["action"][:, 1] < -0.3) * 1.0
    for _ in range(300):
        algo.update(block)
    observation = Batch.from_block(block, algo.device).observation
    assert (algo.policy.mode(observation)[:, 1] == -1.0).float().mean() > 0.9


def test_the_continuous_critics_see_the_decision_and_not_the_recorded_number(make_hybrid, make_block):
    losses = []
    for entry in (0.4, 0.9):
        algo = make_hybrid()
        block = make_block(algo.policy.spec)
        block["action"][:, 1] = entry
        losses.append(float(algo.update(block)["critic_loss"]))
    assert losses[0] == losses[1]


def test_two_grippers_have_values_and_penalties_of_their_own(make_spec, make_block):
    settings = settings_of(gripper_penalty=1.0)
    spec = settings.adapt(replace(make_spec(), action_size=3, gripper_entries=(0, 2)))
    algo = Hybrid(settings, Policy(spec, 0), 0)
    block = make_block(spec)
    algo.update(block)
    batch = batch_of(algo, block)._replace(gripper_changes=torch.tensor([[1.0, 0.0]] * 8))
    free = batch._replace(gripper_changes=torch.zeros(8, 2))
    later = algo.next_step(batch)
    cost = algo.decision_target(free, later) - algo.decision_target(batch, later)
    torch.testing.assert_close(cost, torch.tensor([[1.0, 0.0]] * 8))


def test_a_task_without_a_gripper_is_refused_before_anything_begins():
    with pytest.raises(ConfigError, match="expected a task whose actions have a gripper entry"):
        compose_training_settings(["algo=hybrid", "task=reach"])
    compose_training_settings(["algo=hybrid", "task=pick_place"])
    compose_training_settings(["algo=hybrid", "task=reach", "algo.gripper_entries=[2]"])


def test_records_without_a_gripper_are_refused(make_spec):
    with pytest.raises(PolicySpecError, match=r"algo=hybrid: expected an action with a gripper entry"):
        settings_of().adapt(make_spec())
    assert settings_of(gripper_entries=(0,)).adapt(make_spec()).decided == (0,)


def test_a_policy_without_decisions_is_refused(make_spec):
    settings = settings_of()
    adapted = replace(settings.adapt(make_spec(gripper_entries=(1,))), gripper_head="gaussian")
    with pytest.raises(ValueError, match="policy with decisions"):
        Hybrid(settings, Policy(adapted, 0), 0)

import numpy as np
import pytest
import torch

from steadyhand.learner.admission import Admission
from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.ibrl import Ibrl, IbrlSettings
from steadyhand.policies import Policy
from tests.settings_kit import shipped

SMALL = {"batch_size": 8, "critic_hidden": (16, 16), "warm_updates": 0, "target_clip": None}


@pytest.fixture
def make_ibrl(make_spec):
    def make(pixels=False, **changes):
        settings = shipped(IbrlSettings, "algo", "algo=ibrl", **(SMALL | changes))
        return Ibrl(settings, Policy(settings.adapt(make_spec(pixels)), 0), 0)

    return make


def scatter(*modules):
    """Give networks weights that tell actions apart."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for module in modules:
            for parameter in module.parameters():
                parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))


def without_noise(algo, monkeypatch):
    monkeypatch.setattr(algo.noise, "normal", lambda shape: torch.zeros(*shape))


@pytest.mark.parametrize("num_min", [1, 2])
def test_the_target_is_the_larger_value_of_the_two_proposals(make_ibrl, make_spec, make_block, monkeypatch, num_min):
    algo = make_ibrl(num_min=num_min, num_critics=3)
    scatter(algo.target_critic, algo.policy.proposal)
    without_noise(algo, monkeypatch)
    members = torch.arange(num_min)
    monkeypatch.setattr(algo, "draw_members", lambda: members)
    batch = Batch.from_block(make_block(make_spec(), rows=64), algo.device)
    features = algo.policy.features(batch.next_observation)
    actions = torch.tanh(algo.policy.base(features)[0]), torch.tanh(algo.policy.proposal(features))
    shown, proposed = (algo.target_critic.q(features, action)[:num_min].amin(0) for action in actions)
    assert 0 < int((proposed > shown).sum()) < 64, "each of the two is the better one somewhere"
    expected = batch.reward + batch.discount * torch.maximum(shown, proposed)
    torch.testing.assert_close(algo.td_target(batch), expected)


def test_the_proposal_in_a_target_has_the_noise_of_practice_and_the_clones_action_none(
    make_ibrl, make_spec, make_block, monkeypatch
):
    algo = make_ibrl(action_noise=0.3)
    monkeypatch.setattr(algo.noise, "normal", lambda shape: torch.ones(*shape))
    asked = []

    def value(features, action, members):
        asked.append(action)
        return torch.zeros(2, len(action))

    monkeypatch.setattr(algo.target_critic, "q", value)
    batch = Batch.from_block(make_block(make_spec()), algo.device)
    algo.td_target(batch)
    features = algo.policy.features(batch.next_observation)
    torch.testing.assert_close(asked[0], torch.tanh(algo.policy.base(features)[0]))
    torch.testing.assert_close(asked[1], torch.tanh(algo.policy.proposal(features) + 0.3))


def test_the_actor_takes_the_better_action_by_the_critics_that_it_was_sent(make_ibrl, make_spec, make_block):
    algo = make_ibrl()
    scatter(algo.target_critic, algo.policy.proposal)
    algo.update(make_block(make_spec()))
    actor = Policy(algo.policy.spec, seed=5)
    actor.load_tensors(algo.policy_tensors())
    batch = Batch.from_block(make_block(make_spec(), rows=64, seed=4), algo.device)
    features = algo.policy.features(batch.observation)
    actions = torch.tanh(algo.policy.base(features)[0]), torch.tanh(algo.policy.proposal(features))
    shown, proposed = (algo.target_critic.q(features, action).amin(0) for action in actions)
    is_proposed = proposed > shown
    assert 0 < int(is_proposed.sum()) < 64
    expected = torch.where(is_proposed.unsqueeze(-1), actions[1], actions[0])
    torch.testing.assert_close(actor.mode(batch.observation), expected)
    log_std = actor.distribution(features)[1]
    noise = torch.where(is_proposed, np.log(algo.settings.action_noise), actor.spec.log_std_min)
    torch.testing.assert_close(log_std, noise.unsqueeze(-1).expand_as(log_std).float())


def test_the_clone_alone_acts_while_the_critics_are_warmed(make_ibrl, make_spec, make_block):
    algo, block = make_ibrl(warm_updates=2), make_block(make_spec())
    scatter(algo.critic, algo.target_critic)
    start = {name: value.detach().clone() for name, value in algo.policy.proposal.named_parameters()}
    observation = Batch.from_block(block, algo.device).observation
    for made in range(3):
        algo.update(block)
        clone = torch.tanh(algo.policy.base(algo.policy.features(observation))[0])
        assert torch.equal(algo.policy.mode(observation), clone) == (made < 2)
        moved = any(not torch.equal(one, start[name]) for name, one in algo.policy.proposal.named_parameters())
        assert moved == (made == 2), "until then the critics learn alone"


def test_the_clone_and_its_encoder_learn_before_practice_and_are_frozen_in_it(make_ibrl, make_spec, make_block):
    algo = make_ibrl(pixels=True)
    kept = {
        name: value
        for name, value in algo.policy.named_parameters()
        if name.startswith(("trunk", "encoders")) and value.requires_grad
    }
    block = make_block(make_spec(pixels=True))
    start = {name: value.detach().clone() for name, value in kept.items()}
    algo.pretrain(block)
    cloned = {name: value.detach().clone() for name, value in kept.items()}
    assert not any(torch.equal(start[name], cloned[name]) for name in kept)
    for _ in range(3):
        algo.update(block)
    assert all(torch.equal(value, cloned[name]) for name, value in kept.items())


def one_state(algo, seed, best):
    """Rows of one state, in which an action near `best` in its first entry is rewarded, and the episode ends."""
    rng, rows = np.random.default_rng(seed), algo.sampling.batch_size * algo.sampling.slices
    state = {"state": np.zeros((rows, 1, 3), np.float32)}
    action = rng.uniform(-1.0, 1.0, (rows, 2)).astype(np.float32)
    is_demo = np.arange(rows) % 2 == 0
    action[is_demo] = 0.3
    return {
        "observation": state,
        "action": action,
        "reward": 1.0 - np.abs(action[:, 0] - best),
        "discount": np.zeros(rows, np.float32),
        "next_observation": state,
        "is_demo": is_demo,
        "is_correction": np.zeros(rows, bool),
        "mc_return": np.zeros(rows, np.float32),
        "gripper_changes": np.zeros((rows, 0), np.float32),
    }


@pytest.mark.parametrize("best", [0.3, -0.6])
def test_practice_takes_over_where_it_is_better_than_the_clone(make_ibrl, best):
    fast = {"critic_lr": 1e-2, "policy_lr": 1e-2, "clone_lr": 1e-2, "tau": 0.2, "policy_delay": 1}
    algo = make_ibrl(batch_size=32, num_min=1, num_critics=1, **fast)
    for seed in range(40):
        algo.pretrain(one_state(algo, seed, best))
    observation = {"state": np.zeros((1, 3), np.float32)}
    assert algo.policy.act(observation, deterministic=True)[0] == pytest.approx(0.3, abs=0.1)
    for seed in range(40, 160):
        algo.update(one_state(algo, seed, best))
    assert algo.policy.act(observation, deterministic=True)[0] == pytest.approx(best, abs=0.2)


@pytest.mark.parametrize("admission", [False, True])
def test_what_the_critics_promise_is_tried_unless_admission_is_wanted(make_ibrl, make_spec, make_block, admission):
    algo, block = make_ibrl(admission=admission), make_block(make_spec())
    gate = Admission(algo)
    assert gate.admit(block)
    with torch.no_grad():
        algo.policy.trunk[-1].bias[:2] += 4.0  # another action everywhere, far from what was shown
    assert gate.admit(block) == (not admission)
    assert gate.refused == int(admission)


def test_a_policy_without_a_second_network_is_refused(make_spec):
    with pytest.raises(ValueError, match="expected a policy with a second network"):
        Ibrl(shipped(IbrlSettings, "algo", "algo=ibrl"), Policy(make_spec(), 0), 0)

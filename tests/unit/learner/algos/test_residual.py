import numpy as np
import pytest
import torch

from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.ensemble import CriticStep
from steadyhand.learner.algos.residual import Residual, ResidualSettings
from steadyhand.learner.outcomes import Outcomes
from steadyhand.policies import Policy
from tests.settings_kit import shipped

SCALE = 0.2


def outcomes(first, newest, ended=1000, episodes=10, lasting=None):
    return Outcomes(first, newest, episodes, ended, newest if lasting is None else lasting, 20)


@pytest.fixture
def make_residual(make_spec):
    def make(seed=0, pixels=False, **changes):
        small = {
            "batch_size": 8,
            "critic_hidden": (16, 16),
            "warm_updates": 0,
            "growth_updates": 1,
            "residual_scale": SCALE,
            "policy_ema": 0.0,
        }
        settings = shipped(ResidualSettings, "algo", "algo=residual", **(small | changes))
        return Residual(settings, Policy(settings.adapt(make_spec(pixels)), seed), seed)

    return make


def actions(algo, block):
    batch = Batch.from_block(block, algo.device)
    features = algo.policy.features(batch.observation)
    return torch.tanh(algo.policy.base(features)[0]), torch.tanh(algo.policy.distribution(features)[0])


def test_training_begins_with_the_base_as_it_is(make_residual, make_spec, make_block):
    base, action = actions(make_residual(), make_block(make_spec()))
    torch.testing.assert_close(action, base.clamp(-0.99, 0.99))


def test_no_critic_moves_an_action_further_than_the_scale(make_residual, make_spec, make_block):
    algo, block = make_residual(residual_lr=1.0), make_block(make_spec())
    for _ in range(5):
        algo.update(block)
    base, action = actions(algo, block)
    assert (action - base).abs().max() <= SCALE + 1e-5
    assert (action - base).abs().max() > 0.9 * SCALE


def test_the_base_learns_from_demonstrations_alone(make_residual, make_spec, make_block):
    algo, block = make_residual(), make_block(make_spec())
    block["is_demo"][:] = False
    before = {name: value.clone() for name, value in algo.policy.trunk.named_parameters()}
    metrics = algo.update(block)
    assert metrics["bc_loss"] == 0.0
    assert all(torch.equal(value, before[name]) for name, value in algo.policy.trunk.named_parameters())


@pytest.mark.parametrize("value", [0.5, -20.0])
@pytest.mark.parametrize(
    ("doubt", "expected"), [(0.0, [1.0, 1.0, 1.0, 1.0]), (0.5, [1.0, 0.75, 0.5, 0.0]), (1.0, [1.0, 0.5, 0.0, 0.0])]
)
def test_a_correction_counts_less_the_more_value_it_loses(
    make_residual, make_spec, make_block, monkeypatch, value, doubt, expected
):
    algo = make_residual(correction_doubt=doubt)
    batch = Batch.from_block(make_block(make_spec(), rows=8), algo.device)
    corrections = torch.arange(8) < 4
    batch = batch._replace(is_demo=torch.ones(8, dtype=torch.bool), is_correction=corrections)
    monkeypatch.setattr(algo.target_critic, "q", lambda *_: torch.full((2, 8), value))
    still = (1.0 - algo.settings.gamma**algo.settings.n_step) * abs(value)
    lost = torch.tensor([-1.0, 0.5, 1.0, 2.0]).repeat(2)  # more than expected; half as fast; none; back again
    step = CriticStep(batch, algo.policy.features(batch.observation), value - lost * still, {})
    worth = algo.correction_worth(step)
    torch.testing.assert_close(worth[:4], torch.tensor(expected), atol=0.03, rtol=0.0)
    assert (worth[4:] == 1.0).all()


def test_corrections_without_worth_are_not_imitated(make_residual, make_spec, make_block, monkeypatch):
    block, losses = make_block(make_spec()), []
    block["is_correction"][:] = block["is_demo"]
    for worth in (1.0, 0.0):
        algo = make_residual()
        monkeypatch.setattr(algo, "correction_worth", lambda step, worth=worth: worth * step.batch.is_demo.float())
        losses.append(float(algo.update(block)["bc_loss"]))
    assert losses[0] > 0.0
    assert losses[1] == 0.0


@pytest.mark.parametrize(("corrections", "steps"), [(0.0, 0), (0.25, 3), (1.0, 6)])
def test_online_the_base_steps_as_often_as_its_rows_are_corrections(
    make_residual, make_spec, make_block, corrections, steps
):
    algo, block = make_residual(base_pace=2.0, correction_doubt=0.0), make_block(make_spec())
    block["is_demo"][:] = True
    block["is_correction"][:] = np.arange(len(block["is_demo"])) % 4 < 4 * corrections
    bias, changes = algo.policy.trunk[0].bias, 0
    for _ in range(6):
        before = bias.detach().clone()
        algo.update(block)
        changes += not torch.equal(bias, before)
    assert changes == steps
    algo.pretrain(block)
    assert not torch.equal(bias, before)


def test_the_base_follows_an_encoder_that_is_trained_in_every_block(make_residual, make_spec, make_block):
    algo, block = make_residual(pixels=True), make_block(make_spec(pixels=True))
    block["is_correction"][:] = False
    before = algo.policy.trunk[0].bias.detach().clone()
    algo.update(block)
    assert not torch.equal(algo.policy.trunk[0].bias, before)


def test_pretraining_and_the_first_updates_leave_the_residual_alone(make_residual, make_spec, make_block):
    algo, block = make_residual(warm_updates=2), make_block(make_spec())

    def is_untouched():
        return bool((algo.policy.residual[-1].weight == 0.0).all())

    algo.pretrain(block)
    assert is_untouched()
    for _ in range(2):
        algo.update(block)
        assert is_untouched()
    algo.update(block)
    assert not is_untouched()


def test_the_change_grows_with_practice(make_residual, make_spec, make_block):
    algo, block = make_residual(growth_updates=4, residual_lr=1.0), make_block(make_spec())
    found = []
    for _ in range(6):
        algo.update(block)
        base, action = actions(algo, block)
        found.append((action - base).abs().max().item())
    bounds = [SCALE * min(1.0, made / 4) for made in range(1, 7)]
    assert all(change <= bound + 1e-5 for change, bound in zip(found, bounds, strict=True))
    assert found[-1] > 0.9 * SCALE
    assert algo.policy_tensors()["residual_share"] == 1.0, "actors get it with the weights"


@pytest.fixture
def shares_of(make_spec, make_block):
    """The share in use after each block, with outcomes that the algorithm heeds before it."""

    def shares(algo, heeded):
        found, block = [], make_block(make_spec())
        for outcomes in heeded:
            algo.heed(outcomes)
            algo.update(block)
            found.append(float(algo.policy_tensors()["residual_share"][0]))
        return found

    return shares


def test_the_change_shrinks_while_practice_succeeds_less_often_than_at_first(make_residual, shares_of):
    # At first, and now: as often, more often, a little less often, less often by more than chance explains, and so on.
    rates = [(0.9, 0.9), (0.9, 1.0), (0.9, 0.95), (0.9, 0.85), (0.9, 0.7), (0.9, 0.9), (0.4, 0.3), (1.0, 0.9)]
    heeded = [outcomes(*pair, 1000 * ended) for ended, pair in enumerate(rates, 1)]
    found = shares_of(make_residual(growth_updates=10), heeded)
    assert found == pytest.approx([0.1, 0.2, 0.3, 0.2, 0.0, 0.1, 0.0, 0.0])


def test_the_change_waits_for_episodes_that_end(make_residual, shares_of):
    heeded = [outcomes(1.0, 1.0, ended) for ended in (0, 0, 1, 1, 1, 4, 10)]
    found = shares_of(make_residual(growth_updates=4, growth_episodes=10), heeded)
    assert found == pytest.approx([0.0, 0.0, 0.25, 0.25, 0.25, 0.5, 0.75])


def test_after_a_loss_episodes_count_anew(make_residual, shares_of):
    rates = [(100, 1.0), (100, 1.0), (101, 0.5), (101, 1.0), (103, 1.0), (103, 1.0), (108, 1.0), (112, 0.5)]
    heeded = [outcomes(1.0, newest, ended) for ended, newest in rates]
    found = shares_of(make_residual(growth_updates=4, growth_episodes=10), heeded)
    assert found == pytest.approx([0.25, 0.5, 0.0, 0.0, 0.25, 0.25, 0.5, 0.0])


def test_after_a_little_less_success_the_change_grows_on_from_where_it_is(make_residual, shares_of):
    rates = [(50, 1.0), (50, 1.0), (50, 1.0), (51, 0.8), (51, 1.0), (52, 1.0), (52, 1.0)]
    heeded = [outcomes(0.9, newest, ended, 4) for ended, newest in rates]
    found = shares_of(make_residual(growth_updates=10, growth_episodes=10), heeded)
    assert found == pytest.approx([0.1, 0.2, 0.3, 0.2, 0.3, 0.4, 0.4])


@pytest.mark.parametrize(
    ("first", "newest", "largest"),
    [
        (0.5, 0.5, 0.3),
        (0.5, 0.7, 0.3),
        (0.5, 0.74, 0.7),
        (0.5, 0.9, 1.0),
        (0.1, 0.5, 0.3),
        (1.0, 1.0, 1.0),
        (0.95, 1.0, 1.0),
    ],
)
def test_a_large_change_has_to_gain(make_residual, shares_of, first, newest, largest):
    heeded = [outcomes(first, newest)] * 12
    assert shares_of(make_residual(growth_updates=10), heeded)[-1] == pytest.approx(largest, abs=0.11)


def test_a_change_that_grew_by_luck_goes_back(make_residual, shares_of):
    heeded = [outcomes(0.4, 0.9)] * 10 + [outcomes(0.4, 0.5)] * 10
    found = shares_of(make_residual(growth_updates=10), heeded)
    assert found[9] == pytest.approx(1.0)
    assert found[-1] == pytest.approx(0.3, abs=0.11)


def test_ten_lucky_episodes_are_no_gain(make_residual, shares_of):
    heeded = [outcomes(0.4, 0.8, lasting=0.55)] * 12
    assert shares_of(make_residual(growth_updates=10), heeded)[-1] == pytest.approx(0.3, abs=0.11)


def test_a_change_that_gains_nothing_costs(make_residual, make_spec, make_block):
    found = []
    for penalty in (0.0, 1.0):
        algo, block = make_residual(residual_penalty=penalty, residual_lr=1e-2), make_block(make_spec())
        for _ in range(50):
            algo.update(block)
        base, action = actions(algo, block)
        found.append((action - base).abs().mean().item())
    assert found[1] < 0.5 * found[0]


def test_a_saturated_action_can_come_back(make_residual, make_spec, make_block):
    algo = make_residual()
    algo.update(make_block(make_spec()))
    features = algo.policy.features(Batch.from_block(make_block(make_spec()), algo.device).observation)
    saturated = torch.full((len(features), 2), 4.0)
    algo.policy.changed(saturated, algo.policy.change(features, saturated)).sum().backward()
    assert algo.policy.residual[-1].bias.grad.abs().min() > 0.0


def test_a_step_does_not_depend_on_the_size_of_the_values(make_residual, make_spec, make_block):
    changes = []
    for size in (1.0, 0.01):
        algo, block = make_residual(critic_lr=1e-9, tau=1e-9), make_block(make_spec())
        algo.update(block)
        with torch.no_grad():
            algo.critic.weights[-1].normal_(generator=torch.Generator().manual_seed(0)).mul_(size)
            algo.critic.biases[-1].fill_(size)
        features = algo.policy.features(Batch.from_block(block, algo.device).observation)
        changes.append(float(algo.update_residual(features)["policy_loss"]))
    assert changes[0] == pytest.approx(changes[1], rel=1e-3)


def test_a_policy_without_the_network_is_refused(make_spec):
    with pytest.raises(ValueError, match="residual network"):
        Residual(shipped(ResidualSettings, "algo", "algo=residual"), Policy(make_spec(), 0), 0)


def shares_after_failures(algo, block, updates=3):
    algo.heed(outcomes(0.9, 0.0))
    for _ in range(updates):
        algo.update(block)
    return float(algo.policy_tensors()["residual_share"][0])


def test_a_run_from_weights_never_falls_below_the_change_that_it_began_with(make_residual, make_spec, make_block):
    block, algos = make_block(make_spec()), [make_residual(growth_updates=10) for _ in range(2)]
    for algo in algos:
        algo.policy.residual_share.detach().fill_(0.8)
    algos[0].start_from_weights()
    assert [shares_after_failures(algo, block) for algo in algos] == pytest.approx([0.8, 0.0])  # the second is the twin
    algos[0].heed(outcomes(0.9, 1.0, 2000))
    algos[0].update(block)
    assert float(algos[0].policy_tensors()["residual_share"][0]) == pytest.approx(0.9)  # it grows as ever


def test_the_newest_loss_is_resumed_and_is_none_in_an_older_checkpoint(make_residual, make_spec, make_block):
    block, algo = make_block(make_spec()), make_residual(growth_updates=10, growth_episodes=10)
    algo.heed(outcomes(0.9, 0.0, 95))
    saved = {name: value.clone() for name, value in algo.state_tensors().items()}
    resumed, older = (make_residual(growth_updates=10, growth_episodes=10) for _ in range(2))
    resumed.load_state_tensors(saved)
    older.load_state_tensors({name: value for name, value in saved.items() if name not in ("lost", "kept")})
    shares = []
    for one in (resumed, older):
        for _ in range(3):
            one.heed(outcomes(0.9, 0.9, 96))
            one.update(block)
        shares.append(float(one.policy_tensors()["residual_share"][0]))
    assert shares == pytest.approx([0.1, 0.3])


def test_the_smallest_change_is_resumed_and_is_zero_in_an_older_checkpoint(make_residual, make_spec, make_block):
    block, algo = make_block(make_spec()), make_residual(growth_updates=10)
    algo.policy.residual_share.detach().fill_(0.8)
    algo.start_from_weights()
    saved = {name: value.clone() for name, value in algo.state_tensors().items()}
    resumed, older = make_residual(growth_updates=10), make_residual(growth_updates=10)
    resumed.load_state_tensors(saved)
    older.load_state_tensors({name: value for name, value in saved.items() if name != "least"})
    assert [shares_after_failures(one, block) for one in (resumed, older)] == pytest.approx([0.8, 0.0])

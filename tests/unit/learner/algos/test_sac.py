import numpy as np
import pytest
import torch

from steadyhand.learner.algos.batch import Batch
from steadyhand.learner.algos.sac import Sac
from steadyhand.policies import Policy
from steadyhand.policies.noise import Noise

CPU = torch.device("cpu")


@pytest.fixture
def make_sac(make_config, make_spec):
    def make(seed=0, pixels=False, **changes):
        return Sac(make_config(**changes), Policy(make_spec(pixels), seed), seed)

    return make


@pytest.fixture
def batch(make_spec, make_block):
    return Batch.from_block(make_block(make_spec()), CPU)


def snapshot(sac):
    return {name: value.clone() for name, value in sac.state_tensors().items()}


def changed(before, after):
    return {name for name, value in after.items() if not torch.equal(value, before[name])}


def owners(names):
    """`optimizer/policy/first/0` -> `optimizer/policy`, `critic/weights.0` -> `critic`."""
    return {"/".join(name.split("/")[: 2 if name.startswith("optimizer") else 1]) for name in names}


def test_target_is_one_value_a_row_and_the_minimum_over_the_subset(make_sac, batch, monkeypatch):
    sac = make_sac()
    monkeypatch.setattr(sac, "draw_members", lambda: torch.tensor([2, 0]))
    sac.policy.trunk[-1].bias.data[2:] = -30.0  # no noise, so that the next action is known
    target = sac.td_target(batch)
    assert target.shape == (16,)
    features = sac.policy.features(batch.next_observation)
    mean, _ = sac.policy.distribution(features)
    every_q = sac.target_critic.q(features, torch.tanh(mean))
    expected = batch.reward + batch.discount * torch.minimum(every_q[2], every_q[0])
    torch.testing.assert_close(target, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("terminated", "bootstraps"), [(False, True), (True, False)])
def test_only_a_terminal_state_stops_the_bootstrap(make_sac, batch, terminated, bootstraps):
    # A time-out reaches the target as terminated = False, so its discount is gamma and it bootstraps.
    discount = torch.full((16,), 0.9 * (1 - terminated))
    target = make_sac().td_target(batch._replace(discount=discount))
    assert torch.equal(target, batch.reward) != bootstraps


def test_the_subset_is_distinct_and_drawn_afresh(make_sac):
    sac = make_sac(num_critics=10, num_min=2)
    drawn = [tuple(sac.draw_members().tolist()) for _ in range(200)]
    assert all(len(set(members)) == 2 for members in drawn)
    assert len(set(drawn)) > 50
    assert {member for members in drawn for member in members} == set(range(10))
    assert make_sac(num_critics=3, num_min=3).draw_members() is None


def test_only_the_drawn_target_critics_are_evaluated(make_sac, batch, monkeypatch):
    sac = make_sac(num_critics=5, num_min=2)
    shapes = []
    whole = sac.target_critic.head.value
    monkeypatch.setattr(sac.target_critic.head, "value", lambda raw: shapes.append(raw.shape[0]) or whole(raw))
    sac.td_target(batch)
    assert shapes == [2]


def test_targets_are_clipped_to_the_reachable_range(make_sac, batch):
    far = batch._replace(reward=torch.linspace(-5, 5, 16))
    target = make_sac(target_clip=(0.0, 1.0)).td_target(far)
    assert target.min() == 0.0
    assert target.max() == 1.0


def test_the_entropy_backup_is_discounted_and_has_the_right_sign(make_sac, batch):
    plain, soft = make_sac(), make_sac(backup_entropy=True, init_temperature=0.5)
    batch = batch._replace(discount=torch.full((16,), 0.3))
    features = plain.policy.features(batch.next_observation)
    noise = Noise(0)
    _, log_prob = plain.policy.sample(batch.next_observation, noise)
    difference = soft.td_target(batch) - plain.td_target(batch)
    torch.testing.assert_close(difference, -0.3 * 0.5 * log_prob, rtol=1e-4, atol=1e-4)
    assert features.shape == (16, 3)


def test_targets_move_once_for_each_critic_step(make_sac, batch):
    sac = make_sac(tau=0.25)
    before = [value.clone() for value in sac.target_critic.parameters()]
    sac.update_critic(batch)
    for old, new, critic in zip(before, sac.target_critic.parameters(), sac.critic.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.25 * (critic - old))


def test_target_critics_start_equal_and_take_no_gradient(make_sac):
    sac = make_sac()
    for one, other in zip(sac.critic.parameters(), sac.target_critic.parameters(), strict=True):
        assert torch.equal(one, other)
        assert not other.requires_grad


def test_critic_steps_leave_policy_and_temperature_bit_identical(make_sac, batch):
    sac = make_sac()
    sac.update_actor(sac.policy.features(batch.observation), batch)  # Adam has momentum from here on
    sac.update_temperature(torch.tensor(0.0))
    before = snapshot(sac)
    for _ in range(3):
        sac.update_critic(batch)
    assert owners(changed(before, snapshot(sac))) == {"critic", "target_critic", "optimizer/critic", "generator"}


def test_the_policy_step_leaves_the_critic_and_the_encoder_alone(make_sac, make_block):
    sac = make_sac(pixels=True)
    batch = Batch.from_block(make_block(sac.policy.spec), CPU)
    before = snapshot(sac)
    sac.update_actor(sac.policy.features(batch.observation).detach(), batch)
    moved = changed(before, snapshot(sac))
    assert owners(moved) == {"policy", "optimizer/policy", "generator"}
    assert not any("encoders" in name for name in moved)


def test_the_critic_loss_trains_the_encoder(make_sac, make_block):
    sac = make_sac(pixels=True)
    before = snapshot(sac)
    sac.update_critic(Batch.from_block(make_block(sac.policy.spec), CPU))
    moved = {name for name in changed(before, snapshot(sac)) if name.startswith("policy/")}
    assert moved == {name for name in before if name.startswith("policy/encoders")}


def test_a_block_is_policy_delay_critic_steps_and_one_policy_step_on_the_last_slice(make_sac, make_block, monkeypatch):
    sac = make_sac(policy_delay=4)
    block = make_block(sac.policy.spec, rows=32)
    seen = {"critic": [], "policy": [], "temperature": 0}
    critic, actor, temperature = sac.update_critic, sac.update_actor, sac.update_temperature
    monkeypatch.setattr(
        sac, "update_critic", lambda part, *rest: seen["critic"].append(part.action) or critic(part, *rest)
    )
    monkeypatch.setattr(sac, "update_actor", lambda f, part: seen["policy"].append(part.action) or actor(f, part))

    def count(entropy):
        seen["temperature"] += 1
        return temperature(entropy)

    monkeypatch.setattr(sac, "update_temperature", count)
    sac.update(block)
    np.testing.assert_array_equal(torch.cat(seen["critic"]).numpy(), block["action"])
    np.testing.assert_array_equal(seen["policy"][0].numpy(), block["action"][-8:])
    assert (len(seen["critic"]), len(seen["policy"]), seen["temperature"]) == (4, 1, 1)


@pytest.mark.parametrize(("entropy", "falls"), [(5.0, True), (-5.0, False)])
def test_temperature_falls_while_entropy_is_above_its_target(make_sac, entropy, falls):
    sac = make_sac()
    assert sac.target_entropy == -1.0
    before = sac.log_temperature.item()
    sac.update_temperature(torch.tensor(entropy))
    assert (sac.log_temperature.item() < before) == falls


@pytest.mark.parametrize("actor_q", ["mean", "min"])
def test_the_policy_climbs_q(make_sac, batch, actor_q):
    sac = make_sac(actor_q=actor_q, init_temperature=1e-6, policy_lr=1e-2)
    features = sac.policy.features(batch.observation)
    losses = [sac.update_actor(features, batch)["policy_loss"].item() for _ in range(60)]
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.05


def test_the_policy_climbs_its_entropy(make_sac, batch):
    sac = make_sac(init_temperature=10.0, policy_lr=1e-2)
    sac.policy.trunk[-1].bias.data[2:] = -2.0
    features = sac.policy.features(batch.observation)
    entropies = [sac.update_actor(features, batch)["entropy"].item() for _ in range(60)]
    assert np.mean(entropies[-10:]) > np.mean(entropies[:10]) + 0.5


def test_imitation_pulls_towards_demo_rows_only(make_sac, batch):
    batch = batch._replace(action=torch.where(batch.is_demo[:, None], 0.8, -0.8).expand(16, 2).contiguous())
    sac = make_sac(actor_bc_weight=100.0, policy_lr=1e-2)
    features = sac.policy.features(batch.observation)
    for _ in range(100):
        metrics = sac.update_actor(features, batch)
    mean, _ = sac.policy.distribution(features[batch.is_demo])
    torch.testing.assert_close(torch.tanh(mean), torch.full((8, 2), 0.8), rtol=0, atol=0.15)
    assert metrics["bc_loss"] < 0.1


@pytest.mark.parametrize(("recorded_is_better", "imitates"), [(True, True), (False, False)])
def test_the_q_filter_imitates_only_better_actions(make_sac, batch, monkeypatch, recorded_is_better, imitates):
    sac = make_sac(actor_bc_weight=1.0, actor_bc_q_filter=True)
    features = sac.policy.features(batch.observation)
    recorded_q = 1.0 if recorded_is_better else -1.0

    def q(features, action, frozen=False):
        return action.sum(-1).expand(3, -1) * 0.0 + (0.0 if frozen else recorded_q)

    monkeypatch.setattr(sac.critic, "q", q)
    assert (sac.update_actor(features, batch)["bc_loss"] > 0) == imitates


def test_imitation_without_demo_rows_is_zero(make_sac, batch):
    sac = make_sac(actor_bc_weight=1.0)
    batch = batch._replace(is_demo=torch.zeros(16, dtype=torch.bool))
    assert sac.update_actor(sac.policy.features(batch.observation), batch)["bc_loss"] == 0.0


def test_pretraining_clones_actions_and_trains_the_critic(make_sac, make_block):
    sac = make_sac(policy_delay=1, policy_lr=1e-2)
    block = make_block(sac.policy.spec)
    before = snapshot(sac)
    losses = [sac.pretrain(block)["bc_loss"].item() for _ in range(100)]
    assert losses[-1] < 0.3 * losses[0]
    moved = owners(changed(before, snapshot(sac)))
    assert {"policy", "critic", "target_critic"} <= moved
    assert "log_temperature" not in moved


@pytest.mark.parametrize(
    ("weight", "step", "moves"), [(0.0, "update", False), (0.5, "update", True), (0.0, "pretrain", True)]
)
def test_the_encoder_learns_what_is_imitated(make_sac, make_block, weight, step, moves):
    sac = make_sac(pixels=True, zero_init_last_layer=True, actor_bc_weight=weight)
    block = make_block(sac.policy.spec)
    block["reward"][:] = block["discount"][:] = 0.0  # critics that are zero everywhere have nothing to learn
    before = snapshot(sac)
    getattr(sac, step)(block)
    encoder = {name for name in changed(before, snapshot(sac)) if name.startswith("policy/encoders")}
    assert bool(encoder) == moves


@pytest.mark.parametrize("head", ["scalar", "hl_gauss"])
def test_q_reaches_the_reward_of_terminal_rows(make_sac, make_block, head):
    sac = make_sac(critic_head=head, critic_lr=1e-2, policy_delay=1)
    block = make_block(sac.policy.spec)
    block["discount"][:] = 0.0
    for _ in range(200):
        metrics = sac.update(block)
    assert abs(metrics["q_mean"] - block["reward"].mean()) < 0.05
    assert metrics["critic_loss"] < 3.0


def test_the_seed_fixes_everything(make_sac, make_block):
    states = []
    for _ in range(2):
        sac = make_sac(pixels=True, num_critics=3, num_min=2)
        for step in range(3):
            sac.update(make_block(sac.policy.spec, seed=step))
        states.append(snapshot(sac))
    assert changed(*states) == set()


def test_published_weights_are_a_moving_average_where_asked(make_sac, make_block):
    sac = make_sac(policy_ema=0.5)
    start = sac.policy_tensors()
    sac.update(make_block(sac.policy.spec))
    trained, published = sac.policy.trainable_tensors(), sac.policy_tensors()
    for name, value in published.items():
        np.testing.assert_allclose(value, 0.5 * (start[name] + trained[name]), rtol=1e-5, atol=1e-6)
    plain = make_sac()
    plain.update(make_block(plain.policy.spec))
    for name, value in plain.policy_tensors().items():
        np.testing.assert_array_equal(value, plain.policy.trainable_tensors()[name])


@pytest.mark.parametrize("field", ["reward", "action"])
@pytest.mark.parametrize("fault", [np.nan, np.inf])
def test_a_row_that_is_not_finite_never_reaches_the_weights(make_sac, make_block, field, fault):
    sac = make_sac(policy_delay=1, actor_bc_weight=1.0)
    block = make_block(sac.policy.spec)
    sac.update(block)
    broken = make_block(sac.policy.spec)
    broken[field][0] = fault
    sac.update(broken)
    assert sac.skipped() > 0
    assert all(torch.isfinite(value).all() for value in sac.state_tensors().values())
    skipped = sac.skipped()
    sac.update(block)
    assert sac.skipped() == skipped


@pytest.mark.parametrize("pixels", [False, True])
def test_restored_state_continues_bit_for_bit(make_sac, make_block, pixels):
    straight, first = make_sac(pixels=pixels, policy_ema=0.1), make_sac(pixels=pixels, policy_ema=0.1)
    for step in range(6):
        straight.update(make_block(straight.policy.spec, seed=step))
    for step in range(3):
        first.update(make_block(first.policy.spec, seed=step))
    saved = snapshot(first)
    resumed = make_sac(seed=9, pixels=pixels, policy_ema=0.1)
    resumed.load_state_tensors(saved)
    for step in range(3, 6):
        resumed.update(make_block(resumed.policy.spec, seed=step))
    assert changed(snapshot(straight), snapshot(resumed)) == set()


def test_a_state_of_another_configuration_is_refused(make_sac):
    state = make_sac(num_critics=4).state_tensors()
    with pytest.raises(ValueError, match="another policy or algo config"):
        make_sac().load_state_tensors(state)

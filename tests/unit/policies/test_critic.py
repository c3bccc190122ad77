import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from steadyhand.policies.critic import CriticEnsemble, CriticSettings

SMALL = {
    "critic_hidden": (16, 16),
    "critic_layer_norm": True,
    "num_critics": 3,
    "critic_head": "scalar",
    "value_range": (0.0, 1.0),
    "num_bins": 51,
    "bin_sigma": 0.75,
    "zero_init_last_layer": False,
}


@pytest.fixture
def make_config():
    return lambda **changes: CriticSettings(**(SMALL | changes))


@pytest.fixture
def make_critic(make_config):
    def make(**changes):
        critic = CriticEnsemble(make_config(**changes), 5, torch.Generator().manual_seed(0))
        with torch.no_grad():  # away from ones and zeros, so that a mixed-up critic shows
            for parameter in (*critic.biases, *critic.norm_scales, *critic.norm_shifts):
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
        return critic

    return make


def single(critic, member, features, action):
    """One critic by ordinary layers."""
    x = torch.cat((features, action), dim=-1)
    last = len(critic.weights) - 1
    for layer, (weight, bias) in enumerate(zip(critic.weights, critic.biases, strict=True)):
        x = F.linear(x, weight[member].T, bias[member, 0])
        if layer == last:
            return x
        if critic.layer_norm:
            x = F.layer_norm(
                x, x.shape[-1:], critic.norm_scales[layer][member, 0], critic.norm_shifts[layer][member, 0]
            )
        x = F.relu(x)
    return None


INPUTS = torch.randn(6, 3), torch.rand(6, 2) * 2 - 1


@pytest.mark.parametrize("layer_norm", [True, False])
@pytest.mark.parametrize("head", ["scalar", "hl_gauss"])
def test_batched_equals_a_loop_of_single_critics(make_critic, layer_norm, head):
    critic = make_critic(critic_layer_norm=layer_norm, critic_head=head)
    expected = torch.stack([single(critic, member, *INPUTS) for member in range(3)])
    torch.testing.assert_close(critic(*INPUTS), expected, rtol=1e-4, atol=1e-5)
    members = torch.tensor([2, 0])
    torch.testing.assert_close(critic(*INPUTS, members=members), expected[members], rtol=1e-4, atol=1e-5)


def test_batched_gradients_equal_those_of_single_critics(make_critic):
    critic = make_critic()
    parameters = list(critic.parameters())
    batched = torch.autograd.grad(critic(*INPUTS).square().mean(), parameters)
    loop = torch.stack([single(critic, member, *INPUTS) for member in range(3)]).square().mean()
    for one, other in zip(batched, torch.autograd.grad(loop, parameters), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_layer_norm_is_there_and_bounds_the_hidden_layer(make_critic):
    assert len(make_critic().norm_scales) == 2
    assert len(make_critic(critic_layer_norm=False).norm_scales) == 0
    features, action = INPUTS
    far = make_critic().q(1e6 * features, action).abs().max()
    assert far < 100 < make_critic(critic_layer_norm=False).q(1e6 * features, action).abs().max()


def test_frozen_passes_gradient_to_the_action_alone(make_critic):
    critic = make_critic()
    action = INPUTS[1].clone().requires_grad_()
    critic.q(INPUTS[0], action, frozen=True).sum().backward()
    assert action.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in critic.parameters())


@pytest.mark.parametrize("head", ["scalar", "hl_gauss"])
def test_zero_initialised_critics_start_at_zero(make_config, head):
    config = make_config(critic_head=head, zero_init_last_layer=True)
    critic = CriticEnsemble(config, 5, torch.Generator().manual_seed(0))
    q = critic.q(*INPUTS)
    assert q.shape == (3, 6)
    assert q.abs().max() < (1e-9 if head == "scalar" else 0.01)


def test_members_start_different_and_the_generator_fixes_them(make_config):
    one, other = (CriticEnsemble(make_config(), 5, torch.Generator().manual_seed(0)) for _ in range(2))
    q = one.q(*INPUTS)
    torch.testing.assert_close(q, other.q(*INPUTS), rtol=0, atol=0)
    assert not torch.allclose(q[0], q[1])


@pytest.mark.parametrize("value_range", [(0.0, 1.0), (-5.0, 20.0)])
def test_hl_gauss_round_trip(make_critic, value_range):
    head = make_critic(critic_head="hl_gauss", value_range=value_range).head
    targets = torch.linspace(*value_range, 41)
    histogram = head.histogram(targets)
    torch.testing.assert_close(histogram.sum(-1), torch.ones(41))
    values = head.value(torch.log(histogram + 1e-12)[None])[0]
    torch.testing.assert_close(values, targets, rtol=0, atol=1e-3 * (value_range[1] - value_range[0]))


def test_hl_gauss_takes_targets_outside_the_range_at_its_end(make_critic):
    head = make_critic(critic_head="hl_gauss").head
    torch.testing.assert_close(head.histogram(torch.tensor([-9.0, 9.0])), head.histogram(torch.tensor([0.0, 1.0])))


@pytest.mark.parametrize("head", ["scalar", "hl_gauss"])
def test_each_head_learns_a_target(make_critic, head):
    critic = make_critic(critic_head=head)
    target = torch.linspace(0.1, 0.9, 6)
    optimizer = torch.optim.Adam(critic.parameters(), lr=1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        critic.head.loss(critic(*INPUTS), target).backward()
        optimizer.step()
    torch.testing.assert_close(critic.q(*INPUTS), target.expand(3, 6), rtol=0, atol=0.05)

import pytest
import torch
from torch import distributions

from steadyhand.policies import heads
from steadyhand.policies.noise import Noise


def reference(mean, log_std):
    base = distributions.Normal(mean, log_std.exp())
    squashed = distributions.TransformedDistribution(base, [distributions.TanhTransform()])
    return distributions.Independent(squashed, 1)


def test_sample_is_within_bounds_with_the_reference_density():
    mean, log_std = torch.randn(64, 3, dtype=torch.float64), torch.randn(64, 3, dtype=torch.float64) * 0.5
    action, log_prob = heads.sample(mean, log_std, Noise(0))
    assert action.abs().max() <= 1.0
    torch.testing.assert_close(log_prob, reference(mean, log_std).log_prob(action), rtol=1e-4, atol=1e-4)


def test_log_prob_of_a_recorded_action():
    mean, log_std = torch.randn(64, 3), torch.randn(64, 3) * 0.5
    action = torch.rand(64, 3) * 1.9 - 0.95
    torch.testing.assert_close(
        heads.log_prob(mean, log_std, action), reference(mean, log_std).log_prob(action), rtol=1e-4, atol=1e-3
    )


@pytest.mark.parametrize("value", [-1.0, 1.0])
def test_a_recorded_action_on_the_bound_has_a_finite_density_and_gradient(value):
    mean = torch.zeros(1, 2, requires_grad=True)
    heads.log_prob(mean, torch.zeros(1, 2), torch.full((1, 2), value)).sum().backward()
    assert torch.isfinite(mean.grad).all()
    assert (mean.grad * value > 0).all()


def test_density_stays_finite_far_from_the_centre():
    _, log_prob = heads.sample(torch.full((4, 2), 40.0), torch.zeros(4, 2), Noise(0))
    assert torch.isfinite(log_prob).all()


def test_gradient_flows_through_the_sample():
    mean, log_std = torch.zeros(8, 2, requires_grad=True), torch.zeros(8, 2, requires_grad=True)
    action, log_prob = heads.sample(mean, log_std, Noise(0))
    (action.sum() + log_prob.sum()).backward()
    assert mean.grad.abs().sum() > 0
    assert log_std.grad.abs().sum() > 0


def test_the_generator_fixes_the_noise():
    mean, log_std = torch.zeros(8, 2), torch.zeros(8, 2)
    first, second = (heads.sample(mean, log_std, Noise(3))[0] for _ in range(2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)

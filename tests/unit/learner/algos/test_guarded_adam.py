import pytest
import torch
from torch import nn

from steadyhand.learner.algos.guarded_adam import GuardedAdam


def parameters():
    return [nn.Parameter(torch.tensor([1.0, -2.0, 3.0])), nn.Parameter(torch.tensor([[0.5]]))]


def quadratic(values):
    return sum((value**2).sum() for value in values)


def test_steps_are_those_of_adam():
    ours, reference = parameters(), parameters()
    guarded, adam = GuardedAdam(ours, lr=0.1), torch.optim.Adam(reference, lr=0.1)
    for _ in range(20):
        norm = guarded.step(quadratic(ours))
        adam.zero_grad()
        quadratic(reference).backward()
        torch.testing.assert_close(norm, torch.cat([p.grad.flatten() for p in reference]).norm())
        adam.step()
    for one, other in zip(ours, reference, strict=True):
        torch.testing.assert_close(one, other)
    assert guarded.skipped == 0


def test_steps_are_those_of_adam_where_a_gradient_lies_otherwise_in_memory_than_its_weights():
    generator = torch.Generator().manual_seed(0)
    frames = torch.randn(4, 12, 12, 3, generator=generator).permute(0, 3, 1, 2)  # channels_last
    ours, reference = nn.Conv2d(3, 5, 3), nn.Conv2d(3, 5, 3)
    reference.load_state_dict(ours.state_dict())
    (gradient,) = torch.autograd.grad(ours(frames).sum(), [ours.weight])
    assert not gradient.is_contiguous()
    guarded, adam = GuardedAdam(ours.parameters(), lr=0.1), torch.optim.Adam(reference.parameters(), lr=0.1)
    for _ in range(20):
        guarded.step(ours(frames).square().mean())
        adam.zero_grad()
        reference(frames).square().mean().backward()
        adam.step()
    torch.testing.assert_close(ours.weight, reference.weight)


def test_weights_that_are_not_contiguous_are_refused():
    weights = nn.Parameter(torch.ones(4, 3, 2, 2).to(memory_format=torch.channels_last))
    with pytest.raises(ValueError, match="contiguous"):
        GuardedAdam([weights], lr=0.1)


@pytest.mark.parametrize("fault", [torch.nan, torch.inf])
@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_a_step_that_is_not_finite_changes_nothing_and_is_counted(fault, where):
    values = parameters()
    optimizer = GuardedAdam(values, lr=0.1)
    optimizer.step(quadratic(values))
    before = {name: tensor.clone() for name, tensor in optimizer.state_tensors().items()}
    weights = [value.detach().clone() for value in values]
    if where == "loss":
        optimizer.step(quadratic(values) + fault)
    else:
        loss = quadratic(values)
        values[0].register_hook(lambda gradient: gradient * fault)
        optimizer.step(loss)
    for old, value in zip(weights, values, strict=True):
        assert torch.equal(old, value)
    after = optimizer.state_tensors()
    assert after.pop("skipped") == before.pop("skipped") + 1
    for name, value in after.items():
        assert torch.equal(value, before[name]), name


def test_restored_state_continues_the_same():
    ours, copy = parameters(), parameters()
    optimizer = GuardedAdam(ours, lr=0.1)
    for _ in range(5):
        optimizer.step(quadratic(ours))
    resumed = GuardedAdam(copy, lr=0.1)
    for value, source in zip(copy, ours, strict=True):
        value.data.copy_(source)
    for name, value in resumed.state_tensors().items():
        value.copy_(optimizer.state_tensors()[name])
    optimizer.step(quadratic(ours))
    resumed.step(quadratic(copy))
    for one, other in zip(ours, copy, strict=True):
        assert torch.equal(one, other)

import numpy as np
import pytest
import torch

from steadyhand.learner.algos.bc import Bc, BcSettings, cloning_loss
from steadyhand.policies import Policy, heads


def settings(**changes):
    values = {"batch_size": 64, "loss": "mse", "policy_lr": 1e-2, "image_shift": 0}
    return BcSettings(**(values | changes))


def toy_rows(block):
    """Actions that are a smooth function of the state."""
    state = block["observation"]["state"][:, -1]
    block["action"] = np.tanh(state[:, :2] - 0.5 * state[:, 1:]).astype(np.float32) * 0.8
    return block


def test_cloning_losses_per_row():
    mean, log_std, action = torch.randn(5, 2), torch.randn(5, 2), torch.rand(5, 2) * 1.8 - 0.9
    nll = cloning_loss("nll", mean, log_std, action)
    torch.testing.assert_close(nll, -heads.log_prob(mean, log_std, action))
    mse = cloning_loss("mse", mean, log_std, action)
    torch.testing.assert_close(mse, ((torch.tanh(mean) - action) ** 2).sum(-1))


@pytest.mark.parametrize("loss", ["mse", "nll"])
def test_fits_a_toy_map(make_spec, make_block, loss):
    policy = Policy(make_spec())
    bc = Bc(settings(loss=loss), policy, seed=0)
    held_out = toy_rows(make_block(policy.spec, rows=256, seed=1))
    start = bc.evaluate(held_out)["validation_mse"]
    for step in range(300):
        bc.update(toy_rows(make_block(policy.spec, rows=64, seed=2 + step)))
    end = bc.evaluate(held_out)
    assert end["validation_mse"] < 0.1 * start
    assert end["validation_mse"] < 0.01


def test_trains_the_encoder_too(make_spec, make_block):
    policy = Policy(make_spec(pixels=True))
    before = policy.trainable_tensors()
    metrics = Bc(settings(image_shift=2), policy, seed=0).update(make_block(policy.spec))
    assert torch.isfinite(metrics["bc_loss"])
    changed = {name for name, value in policy.trainable_tensors().items() if not np.array_equal(value, before[name])}
    assert changed == set(before)


def test_a_row_that_is_not_finite_is_skipped_and_counted(make_spec, make_block):
    policy = Policy(make_spec())
    before = policy.trainable_tensors()
    block = make_block(policy.spec)
    block["action"][3] = np.nan
    bc = Bc(settings(), policy, seed=0)
    bc.update(block)
    assert bc.skipped() == 1
    for name, value in policy.trainable_tensors().items():
        np.testing.assert_array_equal(value, before[name])

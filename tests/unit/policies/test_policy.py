import numpy as np
import pytest
import torch

from steadyhand.policies import Policy, PolicyWeightsError, load_backbone
from steadyhand.policies.noise import Noise
from tests.encoder_kit import resnet10_file


def observation(spec, batch=None):
    rng = np.random.default_rng(0)
    lead = (spec.obs_horizon,) if batch is None else (batch, spec.obs_horizon)
    return {
        item.key: rng.integers(0, 256, (*lead, *item.shape), np.uint8)
        if item.is_frame
        else rng.normal(size=(*lead, *item.shape)).astype(np.float32)
        for item in spec.inputs
    }


def tensors(values):
    return {key: torch.from_numpy(value) for key, value in values.items()}


@pytest.mark.parametrize("encoder", ["none", "small_cnn", "keypoints"])
def test_shapes(make_spec, encoder):
    policy = Policy(make_spec(encoder=encoder, layer_norm=True, activation="tanh"))
    batch = tensors(observation(policy.spec, batch=5))
    assert policy.features(batch).shape == (5, policy.feature_size)
    assert [value.shape for value in policy(batch)] == [(5, 2), (5, 2)]
    action, log_prob = policy.sample(batch, Noise(0))
    assert action.shape == (5, 2)
    assert log_prob.shape == (5,)


def test_log_std_is_clipped(make_spec):
    policy = Policy(make_spec(log_std_min=-0.01, log_std_max=0.01))
    _, log_std = policy(tensors(observation(policy.spec, batch=32)))
    assert log_std.min() >= -0.01
    assert log_std.max() <= 0.01


def test_log_std_starts_where_it_is_told_whatever_is_observed(make_spec):
    policy = Policy(make_spec(log_std_start=-1.5))
    _, log_std = policy(tensors(observation(policy.spec, batch=32)))
    torch.testing.assert_close(log_std, torch.full((32, 2), -1.5))


def test_the_normaliser_scales_vectors_of_every_step_and_limits_spikes(make_spec):
    policy = Policy(make_spec(normaliser={"state": ([1.0, 2.0, 3.0], [0.5, 1.0, 2.0])}))
    state = torch.tensor([[[1.5, 2.0, 1.0], [1.0, 3.0, 1e6]]])
    expected = torch.tensor([[1.0, 0.0, -1.0, 0.0, 1.0, 10.0]])
    torch.testing.assert_close(policy.features({"state": state}), expected)


def test_without_a_normaliser_large_values_stay_what_they_are(make_spec):
    policy = Policy(make_spec(normaliser={}))
    state = torch.tensor([[[300.0, -40.0, 0.5], [1.0, 2.0, 1e6]]])
    torch.testing.assert_close(policy.features({"state": state}), state.flatten(1))


@pytest.mark.parametrize("encoder", ["none", "small_cnn", "keypoints"])
def test_act_agrees_with_the_batched_path(make_spec, encoder):
    policy = Policy(make_spec(encoder=encoder))
    single = observation(policy.spec)
    mean, _ = policy({key: torch.from_numpy(value)[None] for key, value in single.items()})
    action = policy.act(single, deterministic=True)
    assert action.dtype == np.float32
    assert action.shape == (2,)
    np.testing.assert_allclose(action, torch.tanh(mean)[0].detach().numpy(), rtol=1e-5, atol=1e-6)


def test_act_draws_by_its_own_seed_alone(make_spec):
    single = observation(make_spec())
    first, second = Policy(make_spec(), seed=7), Policy(make_spec(), seed=7)
    drawn = [first.act(single, deterministic=False) for _ in range(3)]
    torch.manual_seed(0)
    np.testing.assert_array_equal(drawn, [second.act(single, deterministic=False) for _ in range(3)])
    assert not np.array_equal(drawn[0], drawn[1])


def test_weights_make_another_policy_the_same(make_spec):
    one, other = Policy(make_spec(encoder="small_cnn"), seed=1), Policy(make_spec(encoder="small_cnn"), seed=2)
    single = observation(one.spec)
    assert not np.array_equal(one.act(single, True), other.act(single, True))
    other.load_tensors(one.trainable_tensors())
    np.testing.assert_array_equal(one.act(single, True), other.act(single, True))


def test_trainable_tensors_are_copies(make_spec):
    policy = Policy(make_spec())
    copied = policy.trainable_tensors()
    for value in copied.values():
        value[:] = np.nan
    assert all(np.isfinite(value).all() for value in policy.trainable_tensors().values())


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda weights: weights.popitem(), "expected tensors"),
        (lambda weights: weights.update(extra=np.zeros(1, np.float32)), "expected tensors"),
        (lambda weights: weights.update({"trunk.0.bias": np.zeros(3, np.float32)}), "shape"),
        (lambda weights: weights["trunk.4.bias"].fill(np.inf), "finite"),
    ],
)
def test_weights_that_do_not_fit_change_nothing(make_spec, edit, named):
    policy, sender = Policy(make_spec(), seed=1), Policy(make_spec(), seed=2)
    before = policy.trainable_tensors()
    weights = sender.trainable_tensors()
    edit(weights)
    with pytest.raises(PolicyWeightsError, match=named):
        policy.load_tensors(weights)
    for name, value in policy.trainable_tensors().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("encoder", ["small_cnn", "keypoints", "resnet10"])
def test_bfloat16_convolutions_give_nearly_the_same_features_and_gradients(make_spec, tmp_path, encoder):
    weights = resnet10_file(tmp_path) if encoder == "resnet10" else None
    backbone = load_backbone(encoder, weights)
    spec = make_spec(encoder=encoder, encoder_hash=backbone.hash if backbone else "")
    policy = Policy(spec, 0, backbone)
    batch = tensors(observation(spec, batch=16))
    trained = [value for value in policy.encoders.parameters() if value.requires_grad]
    found = {}
    for dtype in (torch.float32, torch.bfloat16):
        policy.convolve_in(dtype)
        features = policy.features(batch)
        found[dtype] = [features, *torch.autograd.grad(features.square().sum(), trained)]
        assert all(value.dtype == torch.float32 for value in found[dtype])
    exact, rounded = ([value.detach().flatten() for value in values] for values in found.values())
    assert not torch.equal(exact[0], rounded[0])
    for one, other in zip(exact, rounded, strict=True):
        if one.norm() < 1e-6:  # a softmax does not see its bias
            continue
        assert torch.nn.functional.cosine_similarity(one, other, dim=0) > 0.99
        assert (one - other).norm() <= 0.15 * one.norm()
    assert all(value.dtype == torch.float32 for value in policy.parameters())
    policy.convolve_in(torch.float32)
    assert torch.equal(policy.features(batch), found[torch.float32][0])

import dataclasses
import math

import numpy as np
import pytest
import torch

from steadyhand.actor.policy_runner import PolicyRunner, use_one_thread
from steadyhand.policies import EncoderError, InputSpec, Policy, load_backbone
from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.schema import FieldSpec, SchemaError
from steadyhand.transport.weights import Weights
from tests.encoder_kit import resnet10_file
from tests.unit.actor.policy_kit import SCHEMA, SPEC, not_finite, observation, spoiled, weights_of


def stacked(*values):
    return {name: np.stack([observation(value)[name] for value in values]) for name in ("position", "to_goal")}


@pytest.fixture
def runner():
    return PolicyRunner(SPEC, SCHEMA, FakeClock(), seed=0)


def test_before_the_first_weights(runner):
    assert not runner.ready
    assert (runner.policy_version, runner.learner_epoch, runner.age_s) == (-1, -1, math.inf)


def test_it_acts_as_the_policy_would_with_the_first_observation_repeated(runner):
    weights = weights_of()
    assert runner.offer(weights)
    policy = Policy(SPEC)
    policy.load_tensors(weights.tensors)
    runner.begin(observation(0.1))
    np.testing.assert_array_equal(runner.act(True), policy.act(stacked(0.1, 0.1, 0.1), True))
    runner.observe(observation(0.2))
    np.testing.assert_array_equal(runner.act(True), policy.act(stacked(0.1, 0.1, 0.2), True))
    runner.observe(observation(0.3))
    runner.observe(observation(0.4))
    np.testing.assert_array_equal(runner.act(True), policy.act(stacked(0.2, 0.3, 0.4), True))
    runner.begin(observation(-0.5))
    np.testing.assert_array_equal(runner.act(True), policy.act(stacked(-0.5, -0.5, -0.5), True))


def test_it_acts_with_decisions_of_the_gripper_beside_motions():
    spec = dataclasses.replace(SPEC, gripper_entries=(1,), gripper_head="decisions", decision_epsilon=1.0)
    runner = PolicyRunner(spec, SCHEMA, FakeClock(), seed=0)
    weights = weights_of(spec=spec)
    assert runner.offer(weights)
    policy = Policy(spec)
    policy.load_tensors(weights.tensors)
    runner.begin(observation(0.1))
    np.testing.assert_array_equal(runner.act(True), policy.act(stacked(0.1, 0.1, 0.1), True))
    drawn = np.stack([runner.act(False) for _ in range(40)])
    assert set(drawn[:, 1]) == {-1.0, 0.0, 1.0}
    assert len(np.unique(drawn[:, 0])) == 40


def test_the_history_is_a_copy(runner):
    runner.offer(weights_of())
    seen = observation(0.1)
    runner.begin(seen)
    before = runner.act(True)
    seen["position"][:] = 2.0
    np.testing.assert_array_equal(runner.act(True), before)


def test_draws_stay_in_the_box_and_differ(runner):
    runner.offer(weights_of())
    runner.begin(observation(0.0))
    actions = np.stack([runner.act(False) for _ in range(20)])
    assert (np.abs(actions) <= 1).all()
    assert len(np.unique(actions[:, 0])) == 20
    assert actions.dtype == np.float32


def test_the_noise_does_not_repeat_itself_after_a_swap(runner):
    runner.begin(observation(0.0))
    runner.offer(weights_of(1))
    first = [runner.act(False) for _ in range(5)]
    runner.offer(weights_of(2))
    second = [runner.act(False) for _ in range(5)]
    assert not np.isin(np.stack(first), np.stack(second)).any()


@pytest.mark.parametrize(
    ("epoch", "version", "swapped"), [(0, 5, False), (0, 4, False), (0, 6, True), (1, 0, True), (-1, 9, False)]
)
def test_only_newer_weights_are_taken(runner, epoch, version, swapped):
    runner.offer(weights_of(5, seed=1))
    runner.begin(observation(0.3))
    before = runner.act(True)
    assert runner.offer(weights_of(version, epoch, seed=2)) is swapped
    assert runner.policy_version == (version if swapped else 5)
    assert (runner.act(True) == before).all() == (not swapped)
    assert runner.rejected == 0


def add(tensors):
    tensors["extra"] = np.zeros(1, np.float32)


def drop(tensors):
    tensors.pop(next(iter(tensors)))


def reshape(tensors):
    name = next(iter(tensors))
    tensors[name] = tensors[name][..., :1]


def overflow(tensors, rows=slice(None)):
    """Finite numbers whose sum is infinity minus infinity, in the given rows of the last layer."""
    first, _, last, _ = tensors
    for name in tensors:
        tensors[name] = np.zeros_like(tensors[name])
    tensors[first][:] = 3e38
    tensors[last][rows, ::2], tensors[last][rows, 1::2] = 3e38, -3e38


def overflow_of_the_deviation(tensors):
    """The most likely action is fine, and only a draw is not."""
    overflow(tensors, rows=slice(2, 4))


@pytest.mark.parametrize("change", [add, drop, reshape, not_finite, overflow, overflow_of_the_deviation])
def test_bad_weights_leave_the_policy_as_it_is(runner, change):
    runner.offer(weights_of(3))
    runner.begin(observation(0.3))
    before = runner.act(True)
    assert not runner.offer(spoiled(change))
    assert (runner.policy_version, runner.rejected) == (3, 1)
    np.testing.assert_array_equal(runner.act(True), before)
    assert runner.offer(weights_of(4))


def test_the_age_counts_from_the_swap():
    clock = FakeClock()
    runner = PolicyRunner(SPEC, SCHEMA, clock, seed=0)
    runner.offer(weights_of(1))
    clock.advance_ns(2_500_000_000)
    assert runner.age_s == 2.5
    runner.offer(weights_of(2))
    assert runner.age_s == 0.0


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": (InputSpec("elsewhere", (2,), "float32"),)},
        {"inputs": (InputSpec("position", (3,), "float32"),)},
        {"action_size": 7},
    ],
)
def test_a_policy_of_another_environment_is_refused(change):
    with pytest.raises(SchemaError, match=r"position|action"):
        PolicyRunner(dataclasses.replace(SPEC, **change), SCHEMA, FakeClock(), seed=0)


@pytest.mark.parametrize(("frame", "fits"), [("image", True), ("", True), ("image, crop 0 0 0.5 0.5", False)])
def test_a_policy_acts_through_the_crop_that_it_was_trained_with(frame, fits):
    camera = FieldSpec("camera", (32, 32, 3), "uint8", 0, 255, "rgb", "image")
    schema = dataclasses.replace(SCHEMA, observation=(*SCHEMA.observation, camera))
    inputs = (*SPEC.inputs, InputSpec("camera", camera.shape, "uint8", frame))
    spec = dataclasses.replace(SPEC, inputs=inputs, encoder="small_cnn", latent_size=4)
    if fits:
        PolicyRunner(spec, schema, FakeClock(), 0)
        return
    with pytest.raises(SchemaError, match=r"camera: expected image, crop 0 0 0.5 0.5, found image in the environment"):
        PolicyRunner(spec, schema, FakeClock(), 0)


def test_a_frozen_encoder_is_held_once_and_must_be_the_one_of_the_spec(tmp_path):
    files = [resnet10_file(tmp_path, seed) for seed in (0, 1)]
    camera = InputSpec("camera", (32, 32, 3), "uint8")
    schema = dataclasses.replace(
        SCHEMA, observation=(*SCHEMA.observation, FieldSpec("camera", camera.shape, "uint8", 0, 255, "", "image"))
    )
    named = load_backbone("resnet10", files[0]).hash
    frozen = {"encoder": "resnet10", "encoder_hash": named, "latent_size": 4}
    spec = dataclasses.replace(SPEC, inputs=(*SPEC.inputs, camera), **frozen)
    runner = PolicyRunner(spec, schema, FakeClock(), 0, files[0])
    assert runner._active.backbone is runner._standby.backbone
    assert runner.offer(Weights(0, 1, runner._standby.trainable_tensors()))
    seen = [observation(value) | {"camera": np.full(camera.shape, value, np.uint8)} for value in (7, 8)]
    runner.begin(seen[0])
    runner.observe(seen[1])
    frames = {key: np.stack([seen[0][key], seen[0][key], seen[1][key]]) for key in seen[0]}
    np.testing.assert_allclose(runner.act(True), runner._active.act(frames, True), rtol=1e-4, atol=1e-5)
    # Weights are tried out and actions chosen without another pass.
    runner._active.backbone.maps = None
    assert runner.offer(Weights(0, 2, runner._standby.trainable_tensors()))
    assert runner.act(False).shape == (2,)
    with pytest.raises(EncoderError, match=f"frozen encoder resnet10: expected weights with sha256 {named}, found"):
        PolicyRunner(spec, schema, FakeClock(), 0, files[1])
    with pytest.raises(EncoderError, match=r"give policy\.encoder_weights=FILE"):
        PolicyRunner(spec, schema, FakeClock(), 0)


def test_one_thread():
    before = torch.get_num_threads()
    try:
        use_one_thread()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)

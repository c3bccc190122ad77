import dataclasses
import json
from importlib import util

import numpy as np
import onnx
import pytest

from steadyhand.actor.onnx_policy import OnnxPolicy
from steadyhand.export import ExportError, exported
from steadyhand.learner import onnx_export
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.policies import EncoderError, InputSpec, Policy, PolicySpec, load_backbone
from steadyhand.policies.critic import CriticSettings
from steadyhand.runtime.config import compose
from steadyhand.transport.record import OBSERVATION
from steadyhand.transport.schema import FieldSpec, Schema, SchemaError
from tests.encoder_kit import resnet10_file

pytestmark = pytest.mark.slow

TASK = compose(["task=reach"])["task"]
STATE = {"tcp_pose": 6, "wrench": 6}
FRAMES = {"wrist": (32, 40, 3), "side.left/2": (40, 32, 3)}
ACTION_SIZE = 7


def spec_of(encoder, obs_horizon, **changes) -> PolicySpec:
    inputs = [InputSpec(name, (size,), "float32") for name, size in STATE.items()]
    if encoder != "none":
        inputs += [InputSpec(name, shape, "uint8") for name, shape in FRAMES.items()]
    normaliser = {"tcp_pose": ([0.1, -0.2, 0.0, 0.0, 1.0, 0.0], [0.01, 0.02, 0.5, 1.0, 1.0, 3.0])}
    spec = PolicySpec(
        inputs=tuple(inputs),
        obs_horizon=obs_horizon,
        action_size=ACTION_SIZE,
        hidden=(32, 32),
        layer_norm=True,
        activation="relu",
        encoder=encoder,
        latent_size=8,
        log_std_min=-5.0,
        log_std_max=2.0,
        log_std_start=None,
        normaliser=normaliser,
        encoder_hash="",
    )
    return dataclasses.replace(spec, **changes)


def schema_of(spec) -> Schema:
    fields = [
        FieldSpec(item.key, item.shape, item.dtype, -1000.0 * (not item.is_frame), 1000.0, "1", "")
        for item in spec.inputs
    ]
    action = FieldSpec("action", (ACTION_SIZE,), "float32", -1.0, 1.0, "1", "")
    return Schema((FieldSpec("unread", (2,), "float32", -1.0, 1.0, "1", ""), *fields), action, 8, (), 0.1)


def saved(spec, gain=1.0) -> SavedPolicy:
    tensors = {name: gain * value for name, value in Policy(spec, seed=5).trainable_tensors().items()}
    return SavedPolicy(spec, 2, 31, tensors)


def observations(spec, count=50):
    rng = np.random.default_rng(1)
    for index in range(count):
        spread = 10.0 ** (index % 5 - 2)  # from at rest to far outside of the demonstrations
        yield {
            item.key: rng.integers(0, 256, (spec.obs_horizon, *item.shape), np.uint8)
            if item.is_frame
            else rng.normal(0.0, spread, (spec.obs_horizon, *item.shape)).astype(np.float32)
            for item in spec.inputs
        }


def both(policy: SavedPolicy):
    """Yield the action of torch and that of onnxruntime for the same observations."""
    network, file = Policy(policy.spec), OnnxPolicy(exported(policy, schema_of(policy.spec), TASK), "policy.onnx")
    network.load_tensors(policy.tensors)
    for observation in observations(policy.spec):
        by_input = {OBSERVATION + key: value for key, value in observation.items()}
        yield network.act(observation, deterministic=True), file.act(by_input)


@pytest.mark.parametrize("obs_horizon", [1, 2])
@pytest.mark.parametrize("encoder", ["none", "small_cnn", "keypoints"])
def test_exported_is_torch(encoder, obs_horizon):
    for expected, found in both(saved(spec_of(encoder, obs_horizon))):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("encoder", ["none", "small_cnn"])
def test_so_it_is_for_decisions_beside_a_residual(encoder):
    changes = {"gripper_entries": (2, 6), "gripper_head": "decisions", "decision_epsilon": 0.5, "residual_scale": 0.5}
    policy = saved(spec_of(encoder, 1, **changes))
    policy.tensors["decision_gain"] = np.array([3.0], np.float32)
    last = max(name for name in policy.tensors if name.startswith("decision_values") and name.endswith("weight"))
    policy.tensors[last] = np.random.default_rng(2).normal(size=policy.tensors[last].shape).astype(np.float32)
    actions = []
    for expected, found in both(policy):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
        actions.append(found[[2, 6]])
    assert len({tuple(action) for action in actions}) > 1, "the decisions depend on what is observed"
    assert {float(entry) for action in actions for entry in action} <= {-1.0, 0.0, 1.0}


def test_so_it_is_for_the_better_of_two_actions():
    chooser = CriticSettings((16,), True, 2, "scalar", (0.0, 1.0), 101, 0.75, False)
    policy, rng = saved(spec_of("none", 1, chooser=chooser)), np.random.default_rng(2)
    for name, value in policy.tensors.items():
        if name.startswith(("proposal", "chooser")):
            policy.tensors[name] = rng.normal(size=value.shape).astype(np.float32)
    for expected, found in both(policy):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_a_frozen_encoder_goes_into_the_file(tmp_path):
    weights = resnet10_file(tmp_path)
    backbone = load_backbone("resnet10", weights)
    spec = spec_of("resnet10", 1, encoder_hash=backbone.hash)
    network = Policy(spec, seed=5, backbone=backbone)
    policy = SavedPolicy(spec, 2, 31, network.trainable_tensors())
    file = OnnxPolicy(exported(policy, schema_of(spec), TASK, weights), "policy.onnx")
    network.eval()
    for observation in observations(spec, 5):
        found = file.act({OBSERVATION + key: value for key, value in observation.items()})
        np.testing.assert_allclose(found, network.act(observation, deterministic=True), rtol=0, atol=1e-4)
    with pytest.raises(EncoderError, match="needs a safetensors file"):
        exported(policy, schema_of(spec), TASK)


def test_so_it_is_for_the_other_layers():
    for expected, found in both(saved(spec_of("none", 2, activation="tanh", layer_norm=False, normaliser={}))):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_no_action_leaves_its_bounds():
    found = np.stack([found for _, found in both(saved(spec_of("none", 1), gain=20.0))])
    assert np.abs(found).max() == pytest.approx(1.0, abs=1e-6)
    assert np.abs(found).max() <= 1.0


def test_the_file_says_what_it_is():
    spec = spec_of("none", 2)
    model = onnx.load_from_string(exported(saved(spec), schema_of(spec), TASK))
    onnx.checker.check_model(model)
    said = {entry.key.removeprefix("steadyhand."): entry.value for entry in model.metadata_props}
    assert PolicySpec.from_json(json.loads(said["policy_spec"])) == spec
    assert json.loads(said["schema_hash"]) == schema_of(spec).hash
    assert (said["policy_version"], said["learner_epoch"], said["control_period_s"]) == ("31", "2", "0.1")
    assert json.loads(said["task"])["action_scale_m"] == TASK["drive"]["action_scale_m"]
    names = [item.name for item in model.graph.input]
    assert names == ["observation/tcp_pose", "observation/wrench"], "what the policy does not read is no input"
    assert [item.name for item in model.graph.output] == ["action"]


def test_a_policy_that_reads_something_else_is_refused():
    spec = spec_of("none", 1)
    schema = dataclasses.replace(schema_of(spec), observation=schema_of(spec).observation[:2])
    with pytest.raises(SchemaError, match="wrench"):
        exported(saved(spec), schema, TASK)


def test_missing_packages_are_named_with_the_command_that_installs_them(monkeypatch):
    monkeypatch.setattr(onnx_export, "find_spec", lambda name: None if name == "onnxscript" else util.find_spec(name))
    with pytest.raises(ExportError, match="found no onnxscript; install with: python -m pip install onnxscript"):
        exported(saved(spec_of("none", 1)), schema_of(spec_of("none", 1)), TASK)

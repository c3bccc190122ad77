import numpy as np
import pytest

from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.policies import InputSpec, Policy, PolicySpec
from steadyhand.policy_file import PolicyFileError, load_policy, save_policy


@pytest.fixture
def policy() -> SavedPolicy:
    normaliser = {"pose": ([0.0, 0.1, 0.2], [1.0, 2.0, 3.0])}
    inputs = (InputSpec("pose", (3,), "float32"),)
    spec = PolicySpec(
        inputs=inputs,
        obs_horizon=2,
        action_size=2,
        hidden=(8,),
        layer_norm=False,
        activation="relu",
        encoder="none",
        latent_size=4,
        log_std_min=-5.0,
        log_std_max=1.0,
        log_std_start=None,
        normaliser=normaliser,
        encoder_hash="",
    )
    return SavedPolicy(spec, 3, 70, Policy(spec, seed=1).trainable_tensors())


def same(a: SavedPolicy, b: SavedPolicy) -> bool:
    equal = all(np.array_equal(a.tensors[name], b.tensors[name]) for name in a.tensors)
    return equal and (a.spec, a.learner_epoch, a.policy_version) == (b.spec, b.learner_epoch, b.policy_version)


def test_a_policy_survives_the_file(tmp_path, policy):
    save_policy(tmp_path / "policy.safetensors", policy)
    assert same(load_policy(tmp_path / "policy.safetensors"), policy)


def test_a_checkpoint_folder_will_do(tmp_path, policy):
    folder = CheckpointFolder(tmp_path, keep=1).save(5, policy.to_files(), {})
    assert same(load_policy(folder), policy)


@pytest.mark.parametrize("content", [b"", b"{}", b"\0" * 64, b"\xff" * 200])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(PolicyFileError, match="expected a policy file"):
        load_policy(tmp_path / "x")


def test_no_file_is_said(tmp_path):
    with pytest.raises(PolicyFileError, match="expected a policy file"):
        load_policy(tmp_path / "none")


def test_safetensors_without_a_specification_are_refused(tmp_path):
    import safetensors.numpy

    safetensors.numpy.save_file({"a": np.zeros(2, np.float32)}, tmp_path / "x")
    with pytest.raises(PolicyFileError, match="policy_spec"):
        load_policy(tmp_path / "x")

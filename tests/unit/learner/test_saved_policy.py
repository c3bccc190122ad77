import numpy as np
import pytest

from steadyhand.learner.checkpoint import CheckpointError, CheckpointFolder
from steadyhand.learner.saved_policy import SavedPolicy, newest_policy
from steadyhand.policies import Policy


def test_the_newest_policy_of_a_run(make_spec, tmp_path):
    spec = make_spec()
    tensors = Policy(spec, seed=3).trainable_tensors()
    CheckpointFolder(tmp_path, keep=3).save(7, SavedPolicy(spec, 2, 41, tensors).to_files(), {})
    found = newest_policy(tmp_path)
    assert (found.spec, found.learner_epoch, found.policy_version) == (spec, 2, 41)
    for name, value in tensors.items():
        np.testing.assert_array_equal(found.tensors[name], value)


def test_a_run_without_checkpoints_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="train first"):
        newest_policy(tmp_path)

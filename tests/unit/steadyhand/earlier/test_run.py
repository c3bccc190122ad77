"""The parts of an earlier run, found by folder, by name and by checkpoint."""

import pytest

from steadyhand.learner.checkpoint import CheckpointError
from steadyhand.learner.prior import PriorDataError
from steadyhand.runtime.build import ConfigError
from tests.classifier_kit import write_classifier
from tests.transport_kit import session_id
from tests.unit.steadyhand.earlier.earlier_kit import PRACTICE_SESSION, job_of, make_earlier, opened, schema


def test_a_run_is_found_by_folder_by_name_and_by_checkpoint(tmp_path):
    old = make_earlier(tmp_path)
    for word in (str(old.path), "old", str(old.checkpoints / "step-000000000040")):
        found = opened(job_of(tmp_path, f"earlier.run={word}"))
        assert (found.folder, found.checkpoint.step) == (old.path, 40)
        assert found.demos == (old.demos,)
        assert found.logs == (old.log / session_id(PRACTICE_SESSION),)
        assert found.identity().robot == "mock_fr3"
        assert found.schema() == schema()


def test_only_the_named_parts_are_taken(tmp_path):
    make_earlier(tmp_path)
    found = opened(job_of(tmp_path, "earlier.run=old", "earlier.take=[demos]"))
    assert (found.checkpoint, found.logs, found.parts) == (None, (), ("demos",))
    assert found.demos


@pytest.mark.parametrize("place", ["nothing", "old/log", "old/manifest.json"])
def test_a_place_that_is_no_run_is_one_line(tmp_path, place):
    make_earlier(tmp_path)
    with pytest.raises(PriorDataError, match=r"expected a run folder, the name of a run below run_root, or a checkpoi"):
        opened(job_of(tmp_path, f"earlier.run={tmp_path / place}"))


def test_a_part_that_the_run_lacks_is_one_line_with_the_rest_to_take(tmp_path):
    make_earlier(tmp_path, name="bare", weights=False)
    with pytest.raises(PriorDataError, match=r"expected a checkpoint in it, found none; take .*=\[demos,practice\]"):
        opened(job_of(tmp_path, "earlier.run=bare"))
    make_earlier(tmp_path, name="blank", records=False)
    with pytest.raises(PriorDataError, match=r"expected demonstrations in it, found none; .*=\[weights,practice\]"):
        opened(job_of(tmp_path, "earlier.run=blank"))
    with pytest.raises(PriorDataError, match=r"expected practice logs in it, found none; choose another run"):
        opened(job_of(tmp_path, "earlier.run=blank", "earlier.take=[practice]"))
    with pytest.raises(PriorDataError, match=r"expected reward=classifier in the manifest of it, found none"):
        job_of(tmp_path, "earlier.run=blank", "earlier.take=[classifier]")


def test_damaged_weights_are_refused(tmp_path):
    old = make_earlier(tmp_path)
    (old.checkpoints / "step-000000000040" / "policy.json").write_bytes(b"{}")
    with pytest.raises(CheckpointError, match="expected a checkpoint that verifies"):
        opened(job_of(tmp_path, "earlier.run=old"))


def test_the_classifier_comes_with_its_rule_and_a_given_value_wins(tmp_path):
    model = write_classifier(tmp_path / "it's.onnx")
    chosen = ("reward=classifier", f'reward.model="{model}"', "reward.hold_s=0.7", "reward.confirm_steps=2")
    make_earlier(tmp_path, *chosen)
    words = ("earlier.run=old", "earlier.take=[weights,classifier]")
    reward = job_of(tmp_path, *words).settings.reward.settings
    assert (reward.model, reward.hold_s, reward.confirm_steps, reward.threshold) == (str(model), 0.7, 2, None)
    assert job_of(tmp_path, *words, "reward.hold_s=0.1").settings.reward.settings.hold_s == 0.1
    assert job_of(tmp_path, "earlier.run=old").settings.composed["reward"]["entry_point"].endswith(":TaskReward")


def test_a_classifier_whose_file_is_gone_is_one_line(tmp_path):
    model = write_classifier(tmp_path / "pegs.onnx")
    make_earlier(tmp_path, "reward=classifier", f"reward.model={model}")
    model.unlink()
    with pytest.raises(ConfigError, match=r"expected the classifier of .*old at .*pegs\.onnx, found no file; give its"):
        job_of(tmp_path, "earlier.run=old", "earlier.take=[classifier]")
    assert not (tmp_path / "new").exists()

"""The classifier of an earlier run on fresh examples of the new one."""

import numpy as np
import pytest
from torch import nn

from steadyhand.earlier.classifier_lines import classifier_line
from steadyhand.runtime.classifier_manifest import ReadField
from steadyhand.transport.log import LogWriter
from steadyhand.transport.record import Kind, Phase, record_dtype
from tests.classifier_kit import write_classifier
from tests.transport_kit import session_id
from tests.unit.steadyhand.earlier.earlier_kit import OWN_SESSION, job_of, make_earlier, schema

RULE = ("reward.confirm_steps=1", "reward.window_steps=1", "reward.hold_s=0")
STEPS = 8


class Shown(nn.Module):
    """The first number of the goal as the probability of the success."""

    def forward(self, goal):
        return goal[:1].clone()


@pytest.fixture
def classified(tmp_path):
    """The new run's job, with the classifier of an earlier run that reads the goal."""
    goal = schema().observation_field("goal")

    def make(frame=goal.frame):
        model = write_classifier(tmp_path / "pegs.onnx", Shown(), (ReadField("goal", (3,), "float32", frame),))
        make_earlier(tmp_path, "reward=classifier", f"reward.model={model}", *RULE)
        return job_of(tmp_path, "earlier.run=old", "earlier.take=[classifier]")

    return make


def write_examples(job, before, after, success=True):
    """Write an episode whose last observation has the probability `after`, and the others `before`."""
    writer = LogWriter(job.run.examples, schema(), "arm", session_id(OWN_SESSION), 1 << 16)
    for step in range(STEPS + 1):
        row = np.zeros((), record_dtype(schema()))
        row["step_index"], row["valid"], row["phase"] = step, True, Phase.DEMO
        row["kind"] = Kind.FINAL if step == STEPS else Kind.STEP
        row["observation/goal"] = (after if step == STEPS else before, 0.0, 0.0)
        if step == STEPS - 1:
            row["terminated"], row["success"] = success, success
        writer.append(row)
    writer.close()


def test_a_classifier_that_is_right_on_fresh_examples_fits(classified):
    job = classified()
    write_examples(job, 0.1, 0.9)
    line = classifier_line(job, schema())
    assert line.verdict == "fits", line.text
    assert "on 1 fresh episodes 0 of 4 negatives and 0 of 1 positives are wrong" in line.text


def test_false_positives_on_fresh_examples_refuse_it(classified):
    job = classified()
    write_examples(job, 0.9, 0.9, success=False)
    line = classifier_line(job, schema())
    assert line.verdict == "refused"
    assert "train it anew with these examples" in line.text


def test_missed_successes_are_named(classified):
    job = classified()
    write_examples(job, 0.1, 0.2)
    line = classifier_line(job, schema())
    assert line.verdict == "differs"
    assert "1 of 1 positives are wrong" in line.text


def test_without_fresh_examples_it_is_said(classified):
    line = classifier_line(classified(), schema())
    assert line.verdict == "not known"
    assert "record fresh examples with `steadyhand reward record`" in line.text


def test_another_camera_or_crop_refuses_it(classified):
    line = classifier_line(classified("side camera, rows 3 to 9"), schema())
    assert line.verdict == "refused"
    assert "expected goal in the frame side camera, rows 3 to 9" in line.text


def test_another_reward_beside_it_is_refused(classified, tmp_path):
    classified()
    job = job_of(tmp_path, "earlier.run=old", "earlier.take=[classifier]", name="other")
    kept = job_of(tmp_path, name="third")
    assert classifier_line(job, None).verdict == "not known"
    line = classifier_line(kept, None)
    assert line.verdict == "refused"
    assert "another reward=... is chosen" in line.text

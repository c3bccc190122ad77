"""A reward on recorded episodes, with the wrong ones named."""

import json

import numpy as np
import pytest

from steadyhand.cli import main
from steadyhand.runtime.classifier_manifest import ReadField
from steadyhand.transport.label_log import Label, append_label
from steadyhand.transport.record import Kind, Phase, record_dtype
from tests.classifier_kit import First, write_classifier
from tests.unit.learner.logs import SCHEMA, session_id, writer_in

FIELD = ReadField("state", (3,), "float32", "base")
RULE = ("reward.confirm_steps=2", "reward.window_steps=2", "reward.hold_s=0", "classifier.ambiguous_steps=1")


@pytest.fixture
def model(tmp_path):
    """A classifier whose probability is the first number of the state, and counts from 0.75."""
    return write_classifier(tmp_path / "model.onnx", First(), (FIELD,))


def write(folder, *episodes):
    """Write one episode for each pair of probabilities and marks."""
    writer, first = writer_in(folder, 0, SCHEMA), 0
    for number, (probabilities, marks) in enumerate(episodes):
        for step, probability in enumerate(probabilities):
            row = np.zeros((), record_dtype(SCHEMA))
            row["episode_id"], row["step_index"], row["valid"], row["phase"] = number, step, True, Phase.DEMO
            row["kind"] = Kind.FINAL if step == len(probabilities) - 1 else Kind.STEP
            row["observation/state"] = (probability, 0.0, 0.0)
            writer.append(row)
        stages = tuple(marks)
        append_label(
            folder, Label(session_id(0), first, first + len(stages), None, None, None, "me", "", stages=stages)
        )
        first += len(stages)
    writer.close()
    return folder


def check(model, folder, *words):
    return main(["reward", "check", str(folder), f"reward.model={model}", *RULE, *words])


def test_a_right_reward_names_no_episode(tmp_path, model, capsys):
    log = write(tmp_path / "log", ([0, 0.1, 0.2, 0.9, 0.9], [0, 0, 0, 1, 1]), ([0, 0.5, 0.7], [0, 0, 0]))
    assert check(model, log) == 0
    said = capsys.readouterr().out
    assert "2 episodes, 5 steps with a mark or an outcome" in said  # the step before the rise is ambiguous
    assert "false positives: 0 of 3 steps (0.00%)" in said
    assert "false negatives: 0 of 2 steps (0.00%)" in said
    assert "episode 0" not in said


def test_wrong_verdicts_are_named_with_their_episode_and_step(tmp_path, model, capsys):
    log = write(
        tmp_path / "log",
        ([0, 0.9, 0.9, 0.1], [0, 0, 0, 0]),  # confirmed
        ([0, 0.8, 0.1, 0.9], [0, 0, 0, 0]),  # twice positive, never confirmed
        ([0, 0.2, 0.2, 0.9], [0, 0, 1, 1]),  # missed
        ([0, 0.2, 0.2], [0, 0, 1]),  # shown too shortly to be confirmed
    )
    path = tmp_path / "check.json"
    assert check(model, log, "--json", str(path)) == 1
    said = capsys.readouterr().out
    assert f"{log} episode 0: false success, confirmed at step 1" in said
    assert f"{log} episode 1: 2 false positives, none confirmed; the highest is 0.900 at step 2" in said
    assert f"{log} episode 2: missed success, 1 of 2 positives below the threshold" in said
    assert "episode 3:" not in said
    report = json.loads(path.read_text(encoding="utf-8"))
    assert (report["false_positives"], report["false_negatives"], report["thresholds"]) == (4, 2, [0.75])
    assert [one["false_success"] for one in report["episodes"]] == [1, None, None, None]
    assert report["episodes"][1]["folder"] == str(log)


def test_too_many_false_positives_fail_the_check_also_without_a_confirmed_one(tmp_path, model):
    log = write(tmp_path / "log", ([0, 0.9, 0.1, 0.1], [0, 0, 0, 0]))
    assert check(model, log) == 1
    assert check(model, log, "classifier.false_positive_rate=0.4") == 0


def test_of_a_run_every_kind_of_record_is_read_once(tmp_path, model, capsys):
    for name in ("examples", "demos_failed", "log/one"):
        write(tmp_path / "run" / name, ([0, 0.1], [0, 0]))
    write(tmp_path / "run" / "actors" / "arm" / "outbox" / "one", ([0, 0.1], [0, 0]))
    assert check(model, tmp_path / "run") == 0
    assert capsys.readouterr().out.startswith("3 episodes, ")


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (ReadField("state", (3,), "float32", "tool"), "expected state in the frame tool, found in the frame base"),
        (ReadField("side", (3,), "float32", ""), "expected an observation side, found only state"),
    ],
)
def test_a_classifier_of_another_set_up_is_one_line(tmp_path, capsys, field, reason):
    model = write_classifier(tmp_path / "model.onnx", First(), (field,))
    log = write(tmp_path / "log", ([0, 0.1], [0, 0]))
    assert check(model, log) == 2
    said = capsys.readouterr().err
    assert said.startswith("steadyhand reward: ")
    assert reason in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["reward=task"], "expected a reward that a classifier gives, found TaskReward"),
        (["reward.model=none.onnx"], "reward.model: expected a classifier that `steadyhand reward train` has written"),
    ],
)
def test_another_reward_is_one_line(tmp_path, capsys, words, reason):
    log = write(tmp_path / "log", ([0, 0.1], [0, 0]))
    assert main(["reward", "check", str(log), *words]) == 2
    assert reason in capsys.readouterr().err

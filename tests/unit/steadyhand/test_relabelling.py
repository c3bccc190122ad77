"""Practice logs after the classifier of a run was replaced."""

import json

import numpy as np
import pytest

from steadyhand.job import open_job
from steadyhand.log_facts import read_log
from steadyhand.pipeline import relabelling
from steadyhand.pipeline.relabelling import relabel_replaced
from steadyhand.runtime.classifier_manifest import ReadField
from steadyhand.transport.label_log import Label, append_label
from steadyhand.transport.log import LogWriter
from steadyhand.transport.record import Kind, Phase, record_dtype
from tests.classifier_kit import First, write_classifier
from tests.unit.learner.logs import SCHEMA, session_id

FIELD = ReadField("state", (3,), "float32", "base")
HIGHEST = (0.9, 0.6, 0.2)  # largest probability of each episode
STEPS = 4


@pytest.fixture
def folder(tmp_path):
    """The practice log of a run: episodes whose last observation has a probability."""
    folder = tmp_path / "run" / "log" / session_id(0)
    folder.mkdir(parents=True)
    writer = LogWriter(folder, SCHEMA, "arm", session_id(0), 1 << 16)
    for episode, highest in enumerate(HIGHEST):
        for step in range(STEPS + 1):
            row = np.zeros((), record_dtype(SCHEMA))
            row["episode_id"], row["step_index"], row["valid"], row["phase"] = episode, step, True, Phase.TRAIN
            row["kind"] = Kind.FINAL if step == STEPS else Kind.STEP
            row["observation/state"] = (highest if step == STEPS else 0.1, 0, 0)
            writer.append(row)
    writer.close()
    return folder


def job(tmp_path, threshold, *words):
    model = write_classifier(tmp_path / f"{threshold}.onnx", First(), (FIELD,), thresholds=(threshold,))
    rule = ("reward.confirm_steps=1", "reward.window_steps=1", "reward.hold_s=0", f"reward.model={model}")
    return open_job([f"run_root={tmp_path}", "run_name=run", "reward=classifier", *rule, *words])


def successes(folder):
    return [episode.success for episode in read_log(folder).episodes]


def test_another_classifier_scores_the_practice_logs_anew_once(tmp_path, folder, capsys):
    before = {path.name: path.read_bytes() for path in folder.glob("*.segment")}
    assert relabel_replaced(job(tmp_path, 0.7)) == 0  # the first one: its scores are in the records
    assert successes(folder) == [False] * 3
    assert capsys.readouterr().out == ""
    assert relabel_replaced(job(tmp_path, 0.5)) == 2
    assert successes(folder) == [True, True, False]
    assert "the reward was replaced; 3 episodes of practice scored anew, 2 changed" in capsys.readouterr().out
    labels = read_log(folder).labels
    assert relabel_replaced(job(tmp_path, 0.5)) == 0
    assert read_log(folder).labels == labels
    assert relabel_replaced(job(tmp_path, 0.7)) == 1
    assert successes(folder) == [True, False, False]
    assert {path.name: path.read_bytes() for path in folder.glob("*.segment")} == before


def test_a_person_s_verdict_stays(tmp_path, folder):
    relabel_replaced(job(tmp_path, 0.7))
    append_label(folder, Label(session_id(0), 0, STEPS + 1, None, None, False, "anna", "2026-01-01"))
    assert relabel_replaced(job(tmp_path, 0.5)) == 1
    assert successes(folder) == [False, True, False]


def test_it_can_be_switched_off_and_a_file_that_is_elsewhere_is_no_reason_to_stop(tmp_path, folder, monkeypatch):
    said = []
    monkeypatch.setattr(relabelling.logger, "warning", lambda text, *values: said.append(text % values))
    relabel_replaced(job(tmp_path, 0.7))
    assert relabel_replaced(job(tmp_path, 0.5, "reward.relabel_replaced=false")) == 0
    assert relabel_replaced(job(tmp_path, 0.5, f"reward.model={tmp_path / 'none.onnx'}")) == 0
    assert ["practice logs keep their rewards, since the reward cannot be opened here" in line for line in said] == [
        True
    ]
    assert successes(folder) == [False] * 3


def test_a_reward_that_is_not_learned_leaves_no_trace(tmp_path, folder):
    assert relabel_replaced(open_job([f"run_root={tmp_path}", "run_name=run"])) == 0
    assert not (tmp_path / "run" / "reward.json").exists()


def test_a_damaged_note_counts_as_none(tmp_path, folder):
    relabel_replaced(job(tmp_path, 0.7))
    (tmp_path / "run" / "reward.json").write_text("{", encoding="utf-8")
    assert relabel_replaced(job(tmp_path, 0.5)) == 0
    assert json.loads((tmp_path / "run" / "reward.json").read_text(encoding="utf-8"))["fingerprint"]

"""`steadyhand eval` with an operator at the keyboard: labels, a note that asks for the cell, and an intervention."""

import pytest

from steadyhand.job import open_job
from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.report.evaluations import read_evaluations
from tests.program_kit import Program
from tests.unit.steadyhand.reach_policy import OVERRIDES, reach_policy


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_operator_labels_and_intervenes(tmp_path):
    job = open_job([*OVERRIDES, f"run_root={tmp_path}", "run_name=run"])
    job.write_manifest()
    CheckpointFolder(job.run.checkpoints, keep=1).save(1, reach_policy().to_files(), {})
    starts = tmp_path / "starts.yaml"
    starts.write_text("starts: [{seed: 1}, {seed: 2}, {seed: 3, note: left corner}]", encoding="utf-8")
    words = ("eval", f"run_root={tmp_path}", "run_name=run", "device=keyboard", f"eval.starts={starts}")
    asks = "waiting for the operator's label"
    with Program(*words, "eval.ask_label=true", "task.drive.max_steps=15") as program:
        program.says("waiting for a person to enable motion with enter")
        program.terminal.type("\r")
        program.says(asks)
        program.press_until("g", "verdict of the person: reset")
        program.says(asks)
        program.press_until("y", "verdict of the person: success")
        program.press_until("w", asks)  # drives in the second episode
        program.press_until("n", "verdict of the person: failure")
        program.says("start 2: left corner")
        program.says("waiting for a person to enable motion with enter (start 2: left corner)")
        program.terminal.type("\r")
        program.says(asks)
        program.press_until("n", "verdict of the person: failure")
        program.says("1 episodes with an intervention, each counted as a failure")
        program.says("operator and machine agree in 2 of 3 labelled episodes")
        assert program.wait() == 0
    (kept,) = read_evaluations(job.run)
    rows = kept["rows"]
    assert [row["operator_success"] for row in rows] == [True, False, False]
    assert [row["machine_success"] for row in rows] == [False] * 3
    assert [row["intervened"] for row in rows] == [False, True, False]
    assert [row["discarded_attempts"] for row in rows] == [1, 0, 0]
    assert (kept["successes"], kept["labelled"], kept["agreed"], kept["interventions"]) == (1, 3, 2, 1)

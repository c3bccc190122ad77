import json

from steadyhand.actor.evaluate import Evaluation
from steadyhand.cli import main
from steadyhand.policy_file import save_policy
from steadyhand.report.evaluations import (
    POLICY,
    evaluation_path,
    keep_evaluation,
    newest_evaluations,
    read_evaluation,
    read_evaluations,
)
from tests.unit.steadyhand.reach_policy import OVERRIDES, reach_policy
from tests.unit.steadyhand.report.page_kit import Page
from tests.unit.steadyhand.synthetic_run import make_run

RESULT = Evaluation(10, 9, 0.9, 0.59, 0.98, 1.5, 300.0, 0, ({"success": True, "duration_s": 1.5, "stop_reason": ""},))
ABOUT = {"who": POLICY, "policy_version": 7, "seed": 3, "overrides": ["task=peg_insert"]}


def test_a_run_made_step_by_step_has_a_report_with_its_evaluations(tmp_path, capsys):
    words = [*OVERRIDES, f"run_root={tmp_path}", "run_name=steps"]
    words += ["demo.demos=1", "task.drive.max_steps=80", "transport.segment_bytes=1000000"]
    assert main(["record", *words]) == 0
    save_policy(tmp_path / "some.safetensors", reach_policy())
    checkpoint = ["--checkpoint", str(tmp_path / "some.safetensors")]
    assert main(["eval", *words, *checkpoint, "episodes=2", "task.drive.max_steps=6", "seed=4"]) == 0
    assert main(["eval", *words, *checkpoint, "episodes=1", "task.drive.max_steps=6"]) == 0
    (kept, _) = read_evaluations_of(tmp_path / "steps")
    assert (kept["episodes"], kept["wilson_low"], len(kept["rows"])) == (2, 0.0, 2)
    about = kept["about"]
    assert (about["who"], about["policy_version"], about["seed"]) == ("some.safetensors", 12, 4)
    assert "task.drive.max_steps=6" in about["overrides"]
    assert about["date"].endswith("Z")
    capsys.readouterr()

    assert main(["report", f"run_root={tmp_path}", "run_name=steps"]) == 0
    assert capsys.readouterr().out == f"report: {tmp_path / 'steps' / 'report.html'}\n"
    page = Page((tmp_path / "steps" / "report.html").read_text(encoding="utf-8"))
    assert "Not evaluated" in page.text  # of the run's own policy, as it has none
    assert "some.safetensors 12 4 0 of 2" in page.text
    assert json.loads((tmp_path / "steps" / "report.json").read_text())["demos"] == 1


def read_evaluations_of(folder):
    return [json.loads(path.read_text()) for path in sorted((folder / "metrics" / "evaluations").iterdir())]


def test_the_newest_evaluation_of_the_runs_policy_is_what_the_list_shows(tmp_path, capsys):
    run = make_run(tmp_path, "pegs")  # the demo's own file, from before there were dates
    main(["runs", f"run_root={tmp_path}"])
    assert "97.5 %" in capsys.readouterr().out
    path = keep_evaluation(run, RESULT, ABOUT)
    keep_evaluation(run, RESULT, {**ABOUT, "who": "other.safetensors"})
    main(["runs", f"run_root={tmp_path}"])
    assert "90.0 %" in capsys.readouterr().out
    assert newest_evaluations(run)[POLICY]["about"]["policy_version"] == 7
    assert len(read_evaluations(run)) == 4
    assert read_evaluation(path) == RESULT
    main(["report", f"run_root={tmp_path}", "run_name=pegs"])
    text = Page((run.path / "report.html").read_text(encoding="utf-8")).text
    assert "9 of 10 fresh episodes" in text
    assert "policy 7 3 9 of 10 90.0 % 59.0 to 98.0 % 0 - drawn task=peg_insert" in text
    assert "- policy - - 195 of 200" in text


def test_the_order_is_kept_within_a_second_too(tmp_path, monkeypatch):
    run = make_run(tmp_path)
    monkeypatch.setattr("steadyhand.report.evaluations.utc_text", lambda ns: "2026-01-02T03:04:05Z")
    for seed in range(12):
        keep_evaluation(run, RESULT, {**ABOUT, "seed": seed})
    assert [row["about"]["seed"] for row in read_evaluations(run)[2:]] == list(range(12))
    assert newest_evaluations(run)[POLICY]["about"]["seed"] == 11


def test_a_stage_of_the_demo_replaces_its_own_file(tmp_path):
    run = make_run(tmp_path)
    for _ in range(2):
        keep_evaluation(run, RESULT, ABOUT, stage=POLICY)
    assert len(read_evaluations(run)) == 2  # policy and bc
    assert read_evaluation(evaluation_path(run, POLICY)).successes == 9


def test_an_evaluation_from_before_there_were_rewards_was_judged_by_the_task(tmp_path):
    path = keep_evaluation(make_run(tmp_path), RESULT, ABOUT)
    values = json.loads(path.read_text(encoding="utf-8"))
    assert values.pop("judged_by") == "task"
    path.write_text(json.dumps(values), encoding="utf-8")
    assert read_evaluation(path) == RESULT


def test_a_damaged_evaluation_is_one_line(tmp_path, capsys):
    run = make_run(tmp_path, "pegs")
    evaluation_path(run, POLICY).write_text("{")
    assert main(["report", f"run_root={tmp_path}", "run_name=pegs"]) == 2
    assert "evaluation_policy.json: expected JSON" in capsys.readouterr().err
    assert main(["runs", f"run_root={tmp_path}"]) == 0
    assert "expected JSON" in capsys.readouterr().out

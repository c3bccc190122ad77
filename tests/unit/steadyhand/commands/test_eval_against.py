import json
import re

import pytest

from steadyhand.cli import main
from steadyhand.policy_file import save_policy
from tests.unit.steadyhand.judged_run import QUIET, judged_run
from tests.unit.steadyhand.reach_policy import reach_policy


def words(root, *more):
    return ["eval", *QUIET, f"run_root={root}", "run_name=walks", *more]


def test_the_better_run_is_found_early_and_the_operator_is_blind(tmp_path, capsys):
    job, other = judged_run(tmp_path, "walks"), judged_run(tmp_path, "stands", False)
    assert main(words(tmp_path, "--against", "stands", "--json", str(tmp_path / "out.json"))) == 0
    out = capsys.readouterr().out
    hidden, _, shown = out.partition("who ")
    assert not {"walks", "stands"} & set(re.findall(r"\w+", hidden))
    assert "walks is better than stands" in shown
    (path,) = (job.run.metrics / "comparisons").glob("*.json")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found == json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert (found["verdict"], found["first"]["name"], found["second"]["name"]) == ("first", "walks", "stands")
    assert found["pairs"] < 25
    assert len(found["first"]["rows"]) == len(found["second"]["rows"]) == found["pairs"]
    assert [one["policy_version"] for one in found["about"]["policies"]] == [2, 1]
    assert not list((job.run.metrics / "open_evaluations").glob("*"))
    # A checkpoint's folder and a run's folder name the same policy.
    for place in (other.run.path, next(other.run.checkpoints.glob("*"))):
        assert main(words(tmp_path, "--against", str(place), "eval.comparison.max_pairs=8")) == 0


def test_an_interrupted_comparison_keeps_its_hidden_order(tmp_path, capsys, monkeypatch):
    job = judged_run(tmp_path, "walks")
    judged_run(tmp_path, "stands", False)
    from steadyhand.commands import eval as verb

    monkeypatch.setattr(verb, "keep_comparison", lambda *args: (_ for _ in ()).throw(OSError("disk full")))
    assert main(words(tmp_path, "--against", "stands")) == 2
    (file,) = (job.run.metrics / "open_evaluations").glob("*")
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(lines[:6]) + "\n", encoding="utf-8")  # the order, and two and a half pairs
    monkeypatch.undo()
    capsys.readouterr()
    assert main(words(tmp_path, "--against", "run_name=stands")) == 0
    out = capsys.readouterr().out
    assert "2 pairs are done" in out
    assert "pair 3 of at most 100, episode 2 of 2" in out
    assert "episode 1 of 2" not in out.partition("episode 2 of 2")[0]
    assert "walks is better than stands" in out


@pytest.mark.parametrize(
    ("against", "line"),
    [
        ("walks", "--against: expected another policy, found the same weights"),
        ("none", "run none: expected a folder"),
        ("reaches", "run reaches: expected a policy of tests.unit"),
        ("FILE", "no such field"),
    ],
)
def test_another_policy_that_does_not_fit_is_one_line_and_leaves_nothing(tmp_path, capsys, against, line):
    job = judged_run(tmp_path, "walks")
    judged_run(tmp_path, "reaches", True, ["task=reach"])
    save_policy(tmp_path / "reach.safetensors", reach_policy())
    against = against.replace("FILE", str(tmp_path / "reach.safetensors"))
    assert main(words(tmp_path, "--against", against)) == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
    assert not (job.run.metrics / "comparisons").exists()
    assert not (job.run.metrics / "open_evaluations").exists()


def test_without_a_run_nothing_can_keep_it(tmp_path, capsys):
    save_policy(tmp_path / "reach.safetensors", reach_policy())
    file = str(tmp_path / "reach.safetensors")
    assert main(["eval", *QUIET, "task=reach", f"run_root={tmp_path}", "--checkpoint", file, "--against", file]) == 2
    assert "run_name: expected the run that keeps the comparison" in capsys.readouterr().err

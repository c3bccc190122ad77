import json
import re

import pytest

from steadyhand.cli import main
from steadyhand.policy_file import save_policy
from steadyhand.runtime.run_folder import RunFolder
from tests.unit.steadyhand.judged_run import QUIET, copied, judged_run
from tests.unit.steadyhand.reach_policy import reach_policy


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("made")
    judged_run(root, "walks")
    judged_run(root, "stands", False)
    judged_run(root, "reaches", True, ["task=reach"])
    return root


@pytest.fixture
def root(made, tmp_path):
    return copied(made, tmp_path)


def words(root, *more):
    return ["eval", *QUIET, f"run_root={root}", "run_name=walks", *more]


def test_the_better_run_is_found_early_and_the_operator_is_blind(root, tmp_path, capsys):
    run, other = (RunFolder(root, name, create=False) for name in ("walks", "stands"))
    assert main(words(root, "--against", "stands", "--json", str(tmp_path / "out.json"))) == 0
    out = capsys.readouterr().out
    hidden, _, shown = out.partition("who ")
    assert not {"walks", "stands"} & set(re.findall(r"\w+", hidden))
    assert "walks is better than stands" in shown
    (path,) = (run.metrics / "comparisons").glob("*.json")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found == json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert (found["verdict"], found["first"]["name"], found["second"]["name"]) == ("first", "walks", "stands")
    assert found["pairs"] < 25
    assert len(found["first"]["rows"]) == len(found["second"]["rows"]) == found["pairs"]
    assert [one["policy_version"] for one in found["about"]["policies"]] == [2, 1]
    assert not list((run.metrics / "open_evaluations").glob("*"))
    # A checkpoint's folder and a run's folder name the same policy.
    for place in (other.path, next(other.checkpoints.glob("*"))):
        assert main(words(root, "--against", str(place), "eval.comparison.max_pairs=8")) == 0


def test_an_interrupted_comparison_keeps_its_hidden_order(root, capsys, monkeypatch):
    run = RunFolder(root, "walks", create=False)
    from steadyhand.commands import eval as verb

    monkeypatch.setattr(verb, "keep_comparison", lambda *args: (_ for _ in ()).throw(OSError("disk full")))
    assert main(words(root, "--against", "stands")) == 2
    (file,) = (run.metrics / "open_evaluations").glob("*")
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(lines[:6]) + "\n", encoding="utf-8")  # the order, and two and a half pairs
    monkeypatch.undo()
    capsys.readouterr()
    assert main(words(root, "--against", "run_name=stands")) == 0
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
def test_another_policy_that_does_not_fit_is_one_line_and_leaves_nothing(root, tmp_path, capsys, against, line):
    run = RunFolder(root, "walks", create=False)
    save_policy(tmp_path / "reach.safetensors", reach_policy())
    against = against.replace("FILE", str(tmp_path / "reach.safetensors"))
    assert main(words(root, "--against", against)) == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
    assert not (run.metrics / "comparisons").exists()
    assert not (run.metrics / "open_evaluations").exists()


def test_without_a_run_nothing_can_keep_it(tmp_path, capsys):
    save_policy(tmp_path / "reach.safetensors", reach_policy())
    file = str(tmp_path / "reach.safetensors")
    assert main(["eval", *QUIET, "task=reach", f"run_root={tmp_path}", "--checkpoint", file, "--against", file]) == 2
    assert "run_name: expected the run that keeps the comparison" in capsys.readouterr().err

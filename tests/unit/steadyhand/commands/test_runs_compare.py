import json

import pytest

from steadyhand.actor.comparison import Comparison
from steadyhand.actor.evaluate import judge
from steadyhand.actor.sequential import PairedTest
from steadyhand.cli import main
from steadyhand.report.comparisons import comparison_json, keep_comparison
from tests.unit.steadyhand.judged_run import copied
from tests.unit.steadyhand.report.page_kit import Page
from tests.unit.steadyhand.synthetic_run import make_run


def runs(root, *words):
    return main(["runs", "compare", *words, f"run_root={root}"])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("made")
    for seed in range(3):
        make_run(root, f"old-{seed}", successes=150 + 5 * seed)
        make_run(root, f"new-{seed}", successes=190 + seed)
    return root


@pytest.fixture
def six(made, tmp_path):
    return copied(made, tmp_path)


def test_groups_of_seeds(six, capsys):
    assert runs(six, "old:old-0,old-1,old-2", "new:new-0,new-1,new-2") == 0
    out = capsys.readouterr().out
    assert "77.5 %" in out
    html = (six / "comparison.html").read_text(encoding="utf-8")
    page = Page(html)
    assert page.tags.count("svg") == 4
    assert html.count('class="area tone') == 4, "the bands of two curves of two groups"
    for text in ("old-1", "new-2", "Interquartile mean over seeds", "100.0 % to 100.0 %", "None besides the seed"):
        assert text in page.text
    numbers = json.loads((six / "comparison.json").read_text(encoding="utf-8"))
    old, new = numbers["groups"]
    assert (old["iqm"], new["evaluated"]) == (pytest.approx(0.775), 3)
    assert old["iqm_low"] < old["iqm"] < old["iqm_high"] < new["iqm_low"]
    assert numbers["probability_of_improvement"][0]["probability"] == 1.0
    assert numbers["remarks"] == []


def test_single_runs_have_curves_and_no_claim_about_seeds(six, tmp_path, capsys):
    other = make_run(six, "reach", task="reach")
    manifest = json.loads((other.path / "manifest.json").read_text(encoding="utf-8"))
    manifest["config"]["learner"]["device"] = "<b>cuda"
    (other.path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (other.metrics / "evaluation_policy.json").unlink()
    assert runs(six, "old-0", "reach", "--output", str(tmp_path / "page.html")) == 0
    out = capsys.readouterr().out
    assert "different tasks: peg_insert, reach" in out
    assert "Not evaluated: reach" in out
    assert "says nothing about other seeds" in out
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "learner.device" in Page(html).text
    assert "<b>cuda" not in html
    assert "Interquartile mean over seeds" not in html


def test_a_kept_blind_comparison_is_shown(six):
    from steadyhand.runtime.run_folder import RunFolder

    result = Comparison(PairedTest(0.05, 9, 9, 0), judge([]), judge([]), True)
    keep_comparison(RunFolder(six, "new-0"), comparison_json(result, ("new-0", "old-0"), {}))
    keep_comparison(RunFolder(six, "new-0"), comparison_json(result, ("new-0", "elsewhere"), {}))
    assert runs(six, "old-0", "new-0") == 0
    numbers = json.loads((six / "comparison.json").read_text(encoding="utf-8"))
    assert [(row["better"], row["pairs"]) for row in numbers["blind_comparisons"]] == [("new-0", 9)]
    assert "Blind comparisons" in (six / "comparison.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "expected 2 to 6 runs or groups, found 0"),
        (["old-0"], "expected 2 to 6 runs or groups, found 1"),
        (["old-0", "none"], "run none: expected a folder"),
        (["old-0", "x:old-0"], "expected every run once, found 'old-0' twice"),
        (["a:old-0", "a:old-1"], "found 'a' twice"),
        (["a:", "old-1"], "expected a run, or label:run,run"),
        ([f"old-{n}" for n in range(7)], "expected 2 to 6 runs or groups, found 7"),
        (["old-0", "new-0", "--output", "nowhere/page.html"], "--output nowhere/page.html: expected a file"),
    ],
)
def test_a_refusal_is_one_line_and_writes_nothing(six, capsys, words, line):
    assert runs(six, *words) == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
    assert not list(six.glob("*.html"))

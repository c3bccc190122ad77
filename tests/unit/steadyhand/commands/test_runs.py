import pytest

from steadyhand.cli import main
from steadyhand.earlier.note import write_earlier
from tests.unit.steadyhand.synthetic_run import make_run


def test_lists_runs_with_what_they_came_to(tmp_path, capsys):
    make_run(tmp_path, "first")
    make_run(tmp_path, "second", successes=180)
    (tmp_path / "not-a-run").mkdir()
    assert main(["runs", f"run_root={tmp_path}"]) == 0
    out = capsys.readouterr().out
    assert "97.5 %" in out
    assert "90.0 %" in out
    assert "peg_insert" in out
    assert "not-a-run" not in out


def test_a_damaged_run_does_not_hide_the_others(tmp_path, capsys):
    make_run(tmp_path, "sound")
    run = make_run(tmp_path, "damaged")
    (run.path / "manifest.json").write_text("{", encoding="utf-8")
    assert main(["runs", f"run_root={tmp_path}"]) == 0
    out = capsys.readouterr().out
    assert "97.5 %" in out
    assert "expected JSON" in out


ODD_MANIFESTS = [
    "", "[]", "null", "3", '"text"', '{"config": []}', '{"config": null}', '{"config": "x"}', '{"config": {"task": 5}}',
    '{"config": {"task": {"entry_point": 7, "arguments": []}}}', '{"seeds": 4, "config": {}}', "[" * 100_000,
    '{"config": {"seed": {"a": [1]}, "task": {}}, "created": {"x": 1}}', '{"created": "\\u001b[2J\\u0007"}',
]  # fmt: skip


@pytest.mark.parametrize("text", ODD_MANIFESTS, ids=range(len(ODD_MANIFESTS)))
def test_an_odd_manifest_is_a_row_and_not_a_traceback(tmp_path, capsys, text):
    make_run(tmp_path, "sound")
    run = make_run(tmp_path, "odd")
    (run.path / "manifest.json").write_text(text, encoding="utf-8")
    assert main(["runs", f"run_root={tmp_path}"]) == 0
    out = capsys.readouterr().out
    assert "97.5 %" in out
    assert "\x1b" not in out
    assert any(line.startswith("odd") for line in out.splitlines())


@pytest.mark.parametrize("text", ["5\n", "[]\n", '{"env_steps": "many"}\n', "\xff\n"])
def test_odd_rows_of_an_actor_are_no_traceback(tmp_path, capsys, text):
    run = make_run(tmp_path, "odd")
    actor = run.actor("arm")
    actor.metrics.write_text(text, encoding="latin-1")
    assert main(["runs", f"run_root={tmp_path}"]) == 0
    assert "odd" in capsys.readouterr().out


def test_no_runs_is_no_error(tmp_path, capsys):
    assert main(["runs", f"run_root={tmp_path}"]) == 0
    assert "no runs" in capsys.readouterr().out


def test_a_run_from_an_earlier_one_names_it(tmp_path, capsys):
    make_run(tmp_path, "first")
    run = make_run(tmp_path, "second")
    write_earlier(run.path, {"run": "first", "folder": "/x", "run_id": "", "take": ["demos"], "step": 3, "account": []})
    assert main(["runs", f"run_root={tmp_path}"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "first" in rows["second"]
    assert rows["first"].count("first") == 1  # the twin: it came from no other run

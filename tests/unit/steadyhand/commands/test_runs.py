from steadyhand.cli import main
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


def test_no_runs_is_no_error(tmp_path, capsys):
    assert main(["runs", f"run_root={tmp_path}"]) == 0
    assert "no runs" in capsys.readouterr().out

import subprocess
import sys
from pathlib import Path

import pytest

from steadyhand.cli import VERBS, main

NEEDED = {
    "run": ["--policy", "p.onnx"],
    "film": ["--before", "a"],
    "inspect": ["demos"],
    "relabel": ["demos", "0", "--success"],
}
ROOT = Path(__file__).resolve().parents[3]


def test_help_names_every_verb_and_needs_no_torch():
    code = (
        "import sys; from steadyhand.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.endswith("False\n")
    assert all(verb in done.stdout for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb, capsys):
    with pytest.raises(SystemExit) as end:
        main([verb, "--help"])
    assert end.value.code == 0
    assert f"usage: steadyhand {verb}" in capsys.readouterr().out


def test_an_unknown_verb_is_refused_with_the_valid_ones(capsys):
    with pytest.raises(SystemExit) as end:
        main(["fly"])
    assert end.value.code == 2
    assert "record" in capsys.readouterr().err


def test_an_unknown_option_is_refused(capsys):
    with pytest.raises(SystemExit) as end:
        main(["runs", "--fast"])
    assert end.value.code == 2
    assert "--fast" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["runs", "run_rot=x"], ["runs", "robot=unicorn"], ["runs", "run_root=[1,2"]])
def test_a_wrong_override_is_one_line_and_no_traceback(words, capsys):
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("steadyhand runs: ")
    assert error.count("\n") == 1


def test_debug_shows_the_traceback(monkeypatch):
    monkeypatch.setenv("STEADYHAND_DEBUG", "1")
    with pytest.raises(ValueError, match="run_rot"):
        main(["runs", "run_rot=x"])


def test_an_error_of_the_product_itself_keeps_its_traceback(monkeypatch):
    def broken(options, overrides):
        raise ZeroDivisionError

    monkeypatch.setattr("steadyhand.commands.runs.run", broken)
    with pytest.raises(ZeroDivisionError):
        main(["runs"])


def test_ctrl_c_is_no_traceback(monkeypatch, capsys):
    def interrupted(options, overrides):
        raise KeyboardInterrupt

    monkeypatch.setattr("steadyhand.commands.runs.run", interrupted)
    assert main(["runs"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_takes_a_configuration_folder(verb, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("STEADYHAND_CONFIG", "")  # restored at the end
    assert main([verb, *NEEDED.get(verb, []), "--config-dir", str(tmp_path / "gone")]) == 2
    assert f"steadyhand {verb}: --config-dir: expected a folder" in capsys.readouterr().err


def test_a_file_of_the_users_own_is_an_option(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("STEADYHAND_CONFIG", "")
    (tmp_path / "safety").mkdir()
    (tmp_path / "safety/my_cell.yaml").write_text("defaults: [default, _self_]\n", encoding="utf-8")
    runs = f"run_root={tmp_path / 'runs'}"
    assert main(["runs", "safety=my_cell", runs]) == 2
    assert "safety is one of default" in capsys.readouterr().err
    assert main(["runs", "safety=my_cell", runs, "--config-dir", str(tmp_path)]) == 0

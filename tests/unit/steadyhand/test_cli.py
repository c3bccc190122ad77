import os
import subprocess
import sys
from pathlib import Path

import pytest

from steadyhand.cli import VERBS, main

NEEDED = {
    "calibrate": ["show", "calibrations"],
    "data": ["show", "demos"],
    "log": ["check", "runs/first/log"],
    "completion": ["bash"],
    "run": ["--policy", "p.onnx"],
    "film": ["--before", "a"],
    "inspect": ["demos"],
    "relabel": ["demos", "0", "--success"],
    "replay": ["demos"],
    "reward": ["check", "demos"],
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
    assert main(["export", "safety=my_cell"]) == 2
    assert "safety is one of default" in capsys.readouterr().err
    assert main(["export", "safety=my_cell", "--config-dir", str(tmp_path)]) == 2
    assert "run_name: expected the run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "package", "extra"),
    [
        (["learn"], "torch", "'.'"),
        (["record"], "torch", "'.'"),
        (["eval", "run_name=x"], "torch", "'.'"),
        (["teleop", "device=keyboard"], "torch", "'.'"),
        (["record", "task=reach"], "mujoco", "'.[sim]'"),
        (["record", "task=reach", "robot=franka_fci"], "franky", "'.[franka]'"),
    ],
)
def test_a_package_that_is_missing_is_one_line_that_says_how_to_install_it(words, package, extra, tmp_path):
    # As in the install without torch of docs/deploy.md: in a process of its own, since this one has it imported.
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        f"from steadyhand.cli import main\nsys.exit(main({[*words, f'run_root={tmp_path}']!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"steadyhand {words[0]}: expected the package {package}, found it not installed")
    assert f"pip install {extra}" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_renderer_that_does_not_exist_is_one_line(tmp_path):
    words = ["record", "task=reach", f"run_root={tmp_path}"]
    done = subprocess.run(
        [sys.executable, "-m", "steadyhand", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "MUJOCO_GL": "bogus"},
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "MUJOCO_GL: expected a renderer of this machine, egl, osmesa or glfw, found 'bogus'" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_module_of_the_product_itself_keeps_its_traceback(monkeypatch):
    def broken(options, overrides):
        raise ModuleNotFoundError("No module named 'steadyhand.nothing'", name="steadyhand.nothing")

    monkeypatch.setattr("steadyhand.commands.runs.run", broken)
    with pytest.raises(ModuleNotFoundError):
        main(["runs"])

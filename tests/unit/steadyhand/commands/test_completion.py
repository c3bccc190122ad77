import shutil
import subprocess

import pytest

from steadyhand.cli import VERBS, main
from steadyhand.commands.completion import option_words, override_words, script

ASK = """
source "$1"
COMP_LINE="$2"
COMP_POINT=${#COMP_LINE}
_steadyhand
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def bash_script(tmp_path_factory):
    path = tmp_path_factory.mktemp("completion") / "steadyhand"
    path.write_text(script("bash"), encoding="utf-8")
    return path


def replies(path, line):
    """What bash offers at the end of `line`, as readline would show it."""
    command = ["bash", "-c", ASK, "bash", str(path), line]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    return done.stdout.split()


def test_verbs_come_first(bash_script):
    assert set(VERBS) < set(replies(bash_script, "steadyhand "))
    assert replies(bash_script, "steadyhand le") == ["learn"]


def test_options_are_those_of_the_verb(bash_script):
    assert replies(bash_script, "steadyhand learn --d") == ["--demos"]
    assert "--policy" in replies(bash_script, "steadyhand run --")
    assert "--policy" not in replies(bash_script, "steadyhand learn --")


def test_options_of_a_group_are_offered_behind_the_equals_sign(bash_script):
    assert replies(bash_script, "steadyhand act task=pe") == ["peg_insert"]
    assert {"none", "wrist_side"} <= set(replies(bash_script, "steadyhand act task=reach camera="))


def test_keys_are_offered_with_their_equals_sign(bash_script):
    assert replies(bash_script, "steadyhand learn learner.utd") == ["learner.utd_ratio="]


def test_a_file_of_the_users_own_folder_is_an_option(tmp_path, monkeypatch):
    (tmp_path / "robot").mkdir()
    (tmp_path / "robot" / "my_arm.yaml").write_text("kind: mock\n", encoding="utf-8")
    monkeypatch.setenv("STEADYHAND_CONFIG", str(tmp_path))
    assert "robot=my_arm" in override_words()


def test_every_verb_has_its_options():
    assert "--json" in option_words("eval")
    assert all("--help" in option_words(verb) for verb in VERBS)


def test_the_verb_prints_the_script(capsys):
    assert main(["completion", "zsh"]) == 0
    assert capsys.readouterr().out.startswith("#compdef steadyhand\n")
    assert main(["completion", "bash", "task=reach"]) == 2


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_zsh_reads_the_script(tmp_path):
    path = tmp_path / "_steadyhand"
    path.write_text(script("zsh"), encoding="utf-8")
    subprocess.run(["zsh", "-n", str(path)], check=True, timeout=20)

import io
import stat

import pytest

from steadyhand.actor_id import host_actor_id
from steadyhand.cli import main
from steadyhand.transport import keys

ACTOR_ID = host_actor_id()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def machines(tmp_path, capsys):
    """The folders of a robot's machine and of a learner's, each with its own keys."""
    folders = tmp_path / "robot", tmp_path / "gpu"
    for folder in folders:
        assert main(["keys", "make", "--folder", str(folder)]) == 0
    capsys.readouterr()
    return folders


def test_make_says_where_the_keys_are_and_the_fingerprint(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert main(["keys", "make"]) == 0
    out = capsys.readouterr().out
    folder = tmp_path / "config/steadyhand/keys"
    assert stat.S_IMODE(keys.secret_file(folder).stat().st_mode) == 0o600
    own = keys.own_keys(folder)
    assert keys.fingerprint(own.public) in out
    assert f"{ACTOR_ID}.key" in out
    assert own.secret.decode() not in out
    assert main(["keys", "make"]) == 2
    assert "expected no keys yet" in capsys.readouterr().err


def test_two_machines_pair_and_both_show_the_same_fingerprints(machines, capsys):
    robot, gpu = machines
    assert main(["keys", "list", "--folder", str(robot)]) == 0
    shown = capsys.readouterr().out
    found = keys.fingerprint(keys.own_keys(robot).public)
    assert found in shown
    words = ["keys", "pair", "actor", str(keys.public_file(robot)), "--folder", str(gpu)]
    assert main([*words, "--fingerprint", found.upper()]) == 0
    assert main([*words, "--fingerprint", found.replace(" ", ""), "--actor-id", ACTOR_ID]) == 0
    words = ["keys", "pair", "learner", str(keys.public_file(gpu)), "--folder", str(robot)]
    assert main([*words, "--fingerprint", keys.fingerprint(keys.own_keys(gpu).public)]) == 0
    assert keys.actor_keys(gpu) == {keys.own_keys(robot).public: ACTOR_ID}
    assert keys.learner_key(robot) == keys.own_keys(gpu).public
    capsys.readouterr()
    assert main(["keys", "list", "--folder", str(gpu)]) == 0
    assert f"actor {ACTOR_ID}" in capsys.readouterr().out
    assert main(["keys", "list", "--folder", str(robot)]) == 0
    assert "learner" in capsys.readouterr().out
    assert main(["keys", "revoke", ACTOR_ID, "--folder", str(gpu)]) == 0
    assert keys.actor_keys(gpu) == {}


@pytest.mark.parametrize("expected", ["", "0000", "0" * 32])
def test_another_fingerprint_pairs_nobody(machines, expected, capsys):
    robot, gpu = machines
    words = ["keys", "pair", "actor", str(keys.public_file(robot)), "--folder", str(gpu), "--fingerprint", expected]
    assert main(words) == 2
    assert "not that machine's key" in capsys.readouterr().err
    assert keys.actor_keys(gpu) == {}


@pytest.mark.parametrize(("answer", "paired"), [("y\n", 1), ("YES\n", 1), ("n\n", 0), ("\n", 0), ("", 0)])
def test_a_person_is_asked_to_compare(machines, answer, paired, monkeypatch, capsys):
    robot, gpu = machines
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert main(["keys", "pair", "actor", str(keys.public_file(robot)), "--folder", str(gpu)]) == 1 - paired
    assert keys.fingerprint(keys.own_keys(robot).public) in capsys.readouterr().out
    assert len(keys.actor_keys(gpu)) == paired


def test_without_a_person_and_without_a_fingerprint_nobody_is_paired(machines, monkeypatch, capsys):
    robot, gpu = machines
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main(["keys", "pair", "learner", str(keys.public_file(gpu)), "--folder", str(robot)]) == 2
    assert "--fingerprint" in capsys.readouterr().err
    assert not (robot / "learner.key").exists()


@pytest.mark.parametrize(
    "words",
    [[], ["mak"], ["make", "x"], ["pair"], ["pair", "actor"], ["pair", "robot", "f"], ["revoke"], ["list", "x"]],
)
def test_other_words_are_one_line_that_names_the_right_ones(words, capsys, tmp_path):
    assert main(["keys", *words, "--folder", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "pair actor FILE" in error
    assert error.count("\n") == 1

import shutil

import pytest

from steadyhand.cli import main
from steadyhand.runtime.run_lock import run_lock
from tests.integrity.plain_log import LOST, flip, read_log
from tests.transport_kit import log_of, session_id


def test_records_come_from_the_other_copy(tmp_path, capsys):
    folder = log_of(tmp_path / "log")
    shutil.copytree(folder, tmp_path / "copy")
    written = [one.raw for one in read_log(folder)]
    flip(folder, 3)
    (folder / "00000000000000000010.segment").unlink()
    words = ["log", "repair", str(folder), "--from", str(tmp_path / "copy")]
    assert main(words) == 0
    assert "11 records from" in capsys.readouterr().out
    assert len(read_log(folder)) == 20  # only said
    assert main([*words, "--yes"]) == 0
    assert [one.raw for one in read_log(folder)] == written
    assert main(["log", "check", str(folder)]) == 0
    assert main([*words, "--yes"]) == 0
    assert "nothing to repair" in capsys.readouterr().out


def test_without_another_copy_they_are_quarantined_and_the_rest_is_kept(tmp_path, capsys):
    folder = log_of(tmp_path / "log")
    written = [one.raw for one in read_log(folder)]
    flip(folder, 13)
    assert main(["log", "repair", str(folder), "--yes"]) == 0
    found = read_log(folder)
    assert all(one.sound for one in found)
    assert [one.seq for one in found if one.raw != written[one.seq]] == [13]
    assert (found[13].kind, found[13].number("episode_id"), found[13].number("step_index")) == (LOST, 1, 3)
    assert main(["log", "check", str(folder)]) == 0


def test_a_damaged_record_of_the_other_copy_is_not_taken(tmp_path):
    folder = log_of(tmp_path / "log")
    shutil.copytree(folder, tmp_path / "copy")
    for where in (folder, tmp_path / "copy"):
        flip(where, 3)
    flip(folder, 4)
    assert main(["log", "repair", str(folder), "--from", str(tmp_path / "copy"), "--yes"]) == 0
    assert [one.seq for one in read_log(folder) if one.kind == LOST] == [3]


def test_the_copy_of_another_session_is_refused(tmp_path, capsys):
    folder = log_of(tmp_path / "log")
    log_of(tmp_path / "copy", 1)
    flip(folder, 3)
    assert main(["log", "repair", str(folder), "--from", str(tmp_path / "copy"), "--yes"]) == 2
    assert f"expected session {session_id(0)}" in capsys.readouterr().err


@pytest.mark.parametrize(("where", "role"), [("log", "learner"), ("actors/arm/outbox", "actor")])
def test_a_log_in_use_is_refused(tmp_path, capsys, where, role):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "log").mkdir()
    folder = log_of(tmp_path / where / session_id(0))
    flip(folder, 3)
    holder = tmp_path if role == "learner" else tmp_path / "actors" / "arm"
    with run_lock(holder, role):
        assert main(["log", "repair", str(folder), "--yes"]) == 2
    assert "expected no other" in capsys.readouterr().err
    assert not read_log(folder)[3].sound

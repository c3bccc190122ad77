import os
import subprocess
import sys
from pathlib import Path

import pytest

import steadyhand.runtime.run_lock as run_lock_module
from steadyhand.runtime.run_lock import RunLockError, run_lock

ROOT = Path(__file__).parents[3]


def test_a_second_one_is_refused_by_a_line_that_names_the_first(tmp_path):
    with run_lock(tmp_path, "learner"):
        told = f"no other learner.*process {os.getpid()} on .*; end it"
        with pytest.raises(RunLockError, match=told), run_lock(tmp_path, "learner"):
            pass
        with run_lock(tmp_path, "actor"):
            pass
    with run_lock(tmp_path, "learner"):
        pass


def test_a_killed_holder_lets_go(tmp_path):
    code = (
        f"from pathlib import Path\nfrom steadyhand.runtime.run_lock import run_lock\n"
        f"with run_lock(Path({str(tmp_path)!r}), 'learner'):\n    print('held', flush=True)\n    input()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(RunLockError, match=f"process {child.pid} "), run_lock(tmp_path, "learner"):
            pass
    finally:
        child.kill()
        child.communicate()
    with run_lock(tmp_path, "learner"):
        pass


def test_a_link_in_its_place_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("precious")
    (tmp_path / ".learner.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="symbolic links"), run_lock(tmp_path, "learner"):
        pass
    assert (tmp_path / "precious").read_text() == "precious"


def test_nothing_is_left_of_a_lock_that_was_given_back(tmp_path):
    with run_lock(tmp_path, "learner"):
        assert [path.name for path in tmp_path.iterdir()] == [".learner.lock"]
    assert list(tmp_path.iterdir()) == []


def test_a_lock_whose_file_goes_while_it_is_taken_is_taken_anew(tmp_path, monkeypatch):
    flock, removed = run_lock_module.fcntl.flock, []

    def remove_first(descriptor, operation):
        flock(descriptor, operation)
        if not removed:  # as its last holder does, after the file was opened here
            removed.append(True)
            (tmp_path / ".learner.lock").unlink()

    monkeypatch.setattr(run_lock_module.fcntl, "flock", remove_first)
    with run_lock(tmp_path, "learner"):
        monkeypatch.undo()
        with pytest.raises(RunLockError, match=f"process {os.getpid()}"), run_lock(tmp_path, "learner"):
            pass


def test_those_who_share_a_lock_keep_out_who_does_not(tmp_path):
    with run_lock(tmp_path, "actor", shared=True):
        with run_lock(tmp_path, "actor", shared=True):
            pass
        assert (tmp_path / ".actor.lock").exists()  # of the one that still holds it
        with pytest.raises(RunLockError, match="no other actor"), run_lock(tmp_path, "actor"):
            pass
    late = run_lock(tmp_path, "actor", shared=True, otherwise="actor.id")
    with run_lock(tmp_path, "actor"), pytest.raises(RunLockError, match=r"another actor\.id"), late:
        pass
    assert not (tmp_path / ".actor.lock").exists()

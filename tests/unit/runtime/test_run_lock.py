import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.run_lock import RunLockError, run_lock

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
        f"from pathlib import Path\nfrom runtime.run_lock import run_lock\n"
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

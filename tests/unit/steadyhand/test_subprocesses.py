import os
import signal
import subprocess
import sys

import pytest

from steadyhand import subprocesses
from steadyhand.subprocesses import Child, ChildError, ending, free_addresses, thread_environment
from tests.unit.steadyhand.process_kit import is_running, wait_for
from tests.unit.steadyhand.synthetic_run import make_run


@pytest.fixture
def fake_verbs(tmp_path, monkeypatch):
    """Make `python -m steadyhand <verb>` run a script of the test instead."""

    def install(source: str) -> None:
        package = tmp_path / "fake" / "steadyhand"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(source, encoding="utf-8")
        monkeypatch.setattr(subprocesses, "SOURCE", package.parent)
        monkeypatch.chdir(package.parent)

    return install


def test_a_child_runs_a_verb_of_this_source_from_any_folder(tmp_path, monkeypatch):
    make_run(tmp_path / "root", "first")
    monkeypatch.chdir(tmp_path)
    with ending(Child("runs", [f"run_root={tmp_path / 'root'}"], tmp_path / "log", threads=1), 5.0) as child:
        wait_for(lambda: child.status is not None)
        assert child.status == 0
    assert "97.5 %" in (tmp_path / "log").read_text(encoding="utf-8")


def test_the_death_of_a_child_is_reported_with_its_last_lines(tmp_path):
    with ending(Child("runs", ["run_rot=x"], tmp_path / "log", threads=1), 5.0) as child:
        wait_for(lambda: child.status is not None)
        error = child.error(f"ended with status {child.status}")
    assert isinstance(error, ChildError)
    assert "`steadyhand runs` ended with status 2" in str(error)
    assert "expected only run_root=..., found 'run_rot=x'" in str(error)


def test_a_child_that_does_not_listen_is_killed(tmp_path, fake_verbs):
    fake_verbs(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\nsignal.pause()"
    )
    child = Child("learn", [], tmp_path / "log", threads=1)
    wait_for(lambda: (tmp_path / "log").read_text() == "up\n")
    assert child.end(grace_s=0.1) == -signal.SIGKILL


def test_ctrl_c_reaches_the_parent_alone(tmp_path, fake_verbs):
    fake_verbs("import os, signal\nprint(os.getpgid(0), flush=True)\nsignal.pause()")
    with ending(Child("learn", [], tmp_path / "log", threads=1), 5.0):
        wait_for(lambda: (tmp_path / "log").read_text().endswith("\n"))
        assert int((tmp_path / "log").read_text()) != os.getpgid(0)


def test_threads_are_counted(tmp_path, fake_verbs):
    fake_verbs("import os\nprint(os.environ['OMP_NUM_THREADS'], os.environ['MKL_NUM_THREADS'])")
    with ending(Child("act", [], tmp_path / "log", threads=2), 5.0) as child:
        wait_for(lambda: child.status is not None)
    assert (tmp_path / "log").read_text() == "2 2\n"
    assert set(thread_environment(1).values()) == {"1"}


def test_an_orphan_ends(tmp_path):
    orphan = (
        "from steadyhand.subprocesses import end_with_parent; import signal\n"
        "end_with_parent(); print('up', flush=True); signal.pause()"
    )
    parent = (
        "import os, subprocess, sys, signal\n"
        f"child = subprocess.Popen([sys.executable, '-c', {orphan!r}], stdout=subprocess.PIPE,"
        " env={**os.environ, 'STEADYHAND_PARENT_PID': str(os.getpid())})\n"
        "child.stdout.readline(); print(child.pid, flush=True); signal.pause()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent], cwd=subprocesses.SOURCE, stdout=subprocess.PIPE, text=True
    )
    pid = int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()
    wait_for(lambda: not is_running(pid))


def test_free_addresses_differ():
    addresses = free_addresses(3)
    assert len(set(addresses)) == 3
    assert all(address.startswith("tcp://127.0.0.1:") for address in addresses)

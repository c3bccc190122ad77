"""A test in real time runs again when the machine stood still during it, and only then."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.stalls import Heartbeat, StallPlugin
from tests.transport_kit import wait_until

pytest_plugins = ["pytester"]


def stand_still(heartbeat, for_s):
    os.kill(heartbeat.pid, signal.SIGSTOP)
    threading.Event().wait(for_s)
    os.kill(heartbeat.pid, signal.SIGCONT)


@pytest.fixture
def heartbeat():
    beat = Heartbeat()
    # It beats once it has seen a stall, which it cannot see before its interpreter has started.
    wait_until(lambda: stand_still(beat, 0.1) or beat.since(0.0))
    yield beat
    beat.close()


@pytest.mark.realtime
def test_a_stall_is_seen_with_its_length_and_only_by_who_asks_since_before_it(heartbeat):
    start = time.monotonic()
    stand_still(heartbeat, 0.2)
    end = time.monotonic()
    assert max(stall.lasted_s for stall in heartbeat.since(start)) == pytest.approx(0.2, abs=0.1)
    assert all(stall.ended_s > end + 1.0 for stall in heartbeat.since(end + 1.0))


class Scripted:
    """A test module's body, which fails as often as told and stands still when told."""

    def __init__(self, heartbeat, failures, stalls):
        self.calls = 0
        self._heartbeat, self._failures, self._stalls = heartbeat, failures, stalls

    def __call__(self):
        self.calls += 1
        if self.calls <= self._stalls:
            stand_still(self._heartbeat, 0.1)
        assert self.calls > self._failures


@pytest.mark.parametrize(
    ("failures", "stalls", "calls", "code"),
    [
        (0, 1, 1, pytest.ExitCode.OK),
        (1, 1, 2, pytest.ExitCode.OK),
        (2, 2, 3, pytest.ExitCode.OK),
        (3, 3, 3, pytest.ExitCode.TESTS_FAILED),
    ],
)
def test_a_failure_during_a_stall_runs_again(pytester, heartbeat, capsys, failures, stalls, calls, code):
    body = Scripted(heartbeat, failures, stalls)
    assert run(pytester, heartbeat, body) == code
    assert body.calls == calls
    assert capsys.readouterr().out.count("stood still") == calls - 1


def test_a_failure_on_a_machine_that_ran_stays_one(pytester, heartbeat, monkeypatch):
    monkeypatch.setattr(heartbeat, "since", lambda start_s: [])  # whatever this machine does meanwhile
    body = Scripted(heartbeat, failures=1, stalls=0)
    assert run(pytester, heartbeat, body) == pytest.ExitCode.TESTS_FAILED
    assert body.calls == 1


def run(pytester, heartbeat, body):
    """The exit code of a pytest of one test, which is `body`."""
    pytester.makeini("[pytest]\nmarkers = realtime")
    pytester.makepyfile("import pytest\n@pytest.mark.realtime\ndef test_it(pytestconfig): pytestconfig.body()")

    class Given:
        @staticmethod
        def pytest_configure(config):
            config.body = body

    return pytester.inline_run("-p", "no:cacheprovider", plugins=[StallPlugin(heartbeat), Given()]).ret


OF_A_WORKER = """
import os, signal, threading, pytest
calls = 0

@pytest.mark.realtime
def test_it(pytestconfig):
    global calls
    calls += 1
    heartbeat = next(p for p in pytestconfig.pluginmanager.get_plugins() if type(p).__name__ == "StallPlugin").heartbeat
    begin = len(heartbeat.since(0.0))
    while len(heartbeat.since(0.0)) == begin:
        os.kill(heartbeat.pid, signal.SIGSTOP)
        threading.Event().wait(0.1)
        os.kill(heartbeat.pid, signal.SIGCONT)
    assert calls > {failures}

def test_another():
    pass
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failures", "outcomes", "reruns"), [(1, {"passed": 2}, 1), (3, {"passed": 1, "failed": 1}, 2)]
)
def test_so_it_is_on_a_worker_and_the_terminal_says_so(pytester, monkeypatch, failures, outcomes, reruns):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[1]))
    pytester.makeini("[pytest]\nmarkers = realtime")
    pytester.makepyfile(OF_A_WORKER.format(failures=failures))
    result = pytester.runpytest_subprocess("-p", "tests.stalls", "-p", "no:cacheprovider", "-n", "1")
    assert result.parseoutcomes().items() >= {**outcomes, "rerun": reruns}.items()
    assert result.stdout.str().count("stood still") == reruns

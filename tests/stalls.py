"""Tells what a test in real time found from what the machine did: a pytest plugin, loaded by the `conftest.py` above.

The watchdog latches after 0.1 s without a robot state, as it must. A shared machine that stands still for as long fails
a test of it although nothing is wrong. So a test marked `realtime` that failed while the machine stood still runs
again; one that failed on a machine that ran stays failed. The summary names each.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass

import pytest

PERIOD_S = 0.005
STALL_S = 0.05  # half of what the watchdog allows
RERUNS = 2
LONGEST_S = "longest_stall_s"  # the property of a report that says why the test ran again


@dataclass(frozen=True)
class Stall:
    """For `lasted_s`, until `ended_s` of the monotonic clock that all processes share, a core woke nobody."""

    ended_s: float
    lasted_s: float


class Heartbeat:
    """A process of its own that sleeps `PERIOD_S` again and again on every core, and writes down when it overslept.

    Not a thread: what the code under test does to its own interpreter is no stall of the machine.
    """

    def __init__(self) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (close)
        self._process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=self._log)

    @property
    def pid(self) -> int:
        return self._process.pid

    def since(self, start_s: float) -> list[Stall]:
        """The stalls that ended after `start_s`, [s of time.monotonic]."""
        threading.Event().wait(4 * PERIOD_S)  # let it wake from one that has just ended
        written = os.pread(self._log.fileno(), os.fstat(self._log.fileno()).st_size, 0).decode()
        stalls = [Stall(*map(float, line.split())) for line in written.splitlines()]
        return [stall for stall in stalls if stall.ended_s > start_s]

    def close(self) -> None:
        self._process.communicate()
        self._log.close()


class StallPlugin:
    """Runs a failed `realtime` test again if the machine stood still meanwhile, and says so at the end."""

    def __init__(self, heartbeat: Heartbeat | None = None) -> None:
        self.heartbeat = heartbeat  # None: started with the first test that needs it, on the worker that runs it
        self._began_s = 0.0
        self._stalls: list[Stall] = []
        self._excused: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            # With --force-reruns every failure runs again, and a condition would prevent that.
            if item.get_closest_marker("realtime") and not item.config.getoption("force_reruns", None):
                # pytest-rerunfailures asks the condition after the test.
                item.add_marker(pytest.mark.flaky(reruns=RERUNS, condition=self._stood_still))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if self.heartbeat is None and item.get_closest_marker("realtime"):
            self.heartbeat = Heartbeat()
            item.config.add_cleanup(self.heartbeat.close)
        self._began_s = time.monotonic()

    def _stood_still(self, error: BaseException | None) -> bool:
        """Return True if a failure may be the machine's; asked of tests that passed too, without an error."""
        assert self.heartbeat is not None
        self._stalls = [] if error is None else self.heartbeat.since(self._began_s)
        return bool(self._stalls)

    @pytest.hookimpl(tryfirst=True)  # before a worker of pytest-xdist sends the report to the process with the terminal
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.outcome != "rerun":  # pytest-rerunfailures' own
            return
        if self._stalls:  # here the test ran
            report.user_properties.append((LONGEST_S, max(stall.lasted_s for stall in self._stalls)))
        lasted_s = dict(report.user_properties).get(LONGEST_S)
        why = "" if lasted_s is None else f" while the machine stood still for {float(str(lasted_s)):.2f} s"
        self._excused.append(f"{report.nodeid}: failed{why}, ran again")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self._excused:
            terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(StallPlugin())


def _watch(core: int) -> None:
    os.sched_setaffinity(0, {core})
    never = threading.Event()
    last = time.monotonic()
    while not never.wait(PERIOD_S):
        now = time.monotonic()
        if now - last > STALL_S:
            sys.stdout.write(f"{now} {now - last}\n")
            sys.stdout.flush()
        last = now


def _main() -> None:
    for core in os.sched_getaffinity(0):
        threading.Thread(target=_watch, args=(core,), daemon=True).start()
    sys.stdin.read()  # until whoever started it closes the pipe, or dies


if __name__ == "__main__":
    _main()

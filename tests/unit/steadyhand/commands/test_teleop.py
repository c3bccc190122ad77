import os
import re
import signal
import subprocess
import sys
from collections import deque
from pathlib import Path
from threading import Thread

import pytest

from steadyhand.cli import main
from tests.spacenav_kit import Cap, Daemon, needs_spacenavd
from tests.transport_kit import wait_until

pytestmark = [pytest.mark.realtime, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[4]
LEFT_AND_UP = (-350, 350, 0, 0, 0, 0)
STEPS = re.compile(r"(\d+) steps")
TOOL = re.compile(r"tool ([+-][0-9.]+) ([+-][0-9.]+) ([+-][0-9.]+) mm")


class Program:
    """`steadyhand teleop` as a process, and what it has written."""

    def __init__(self, *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "steadyhand", "teleop", *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        self.lines: deque[str] = deque()
        self._thread = Thread(target=lambda: self.lines.extend(self._process.stdout), daemon=True)
        self._thread.start()

    def says(self, condition) -> None:
        wait_until(lambda: any(map(condition, list(self.lines))) or self._process.poll() is not None, 60)
        assert any(map(condition, list(self.lines))), "".join(self.lines)

    def end(self) -> int:
        self._process.send_signal(signal.SIGINT)
        status = self._process.wait(20)
        self._thread.join(5)
        return status


def tool(line: str) -> list[float]:
    found = TOOL.search(line)
    return [float(text) for text in found.groups()] if found else [0.0] * 3


def steps(line: str) -> int:
    found = STEPS.search(line)
    return int(found.group(1)) if found else 0


@needs_spacenavd
def test_a_person_drives_the_mock_and_a_lost_device_holds_it(tmp_path):
    daemon, cap = Daemon(tmp_path), Cap()
    daemon.start(cap)
    program = Program(
        "device=spacemouse",
        f"device.socket={daemon.socket}",
        "task=reach",
        "logging.console=plain",
        "logging.plain_every_s=0.05",
    )
    program.says(lambda line: line.startswith("waiting for a person to enable motion with") and steps(line) == 0)
    cap.buttons(0, 1)
    cap.buttons()
    # Some steps at rest: from then on the device is neutral.
    program.says(lambda line: line.startswith("nobody |") and "there, at rest" in line and steps(line) > 3)
    cap.push(LEFT_AND_UP)
    # The tool points down: its y is to the right, its z down.
    program.says(lambda line: line.startswith("person |") and tool(line)[1] < -10 and tool(line)[2] < -10)
    daemon.kill()
    program.says(lambda line: line.startswith("held |") and "not there" in line)
    assert program.end() == 0
    last = [tool(line) for line in program.lines if line.startswith("held |")][-1]
    assert last[0] == pytest.approx(0.0, abs=5.0)
    cap.unplug()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["device=scripted"], "give device=keyboard"),
        (["device=keyboard", "task=gym", "task.entry_point=gymnasium:make"], "give task=reach"),
        (["device=spacemouse", "device.socket=/nowhere/spnav.sock", "task=reach"], "is spacenavd running"),
    ],
)
def test_what_cannot_be_driven_is_refused_in_one_line(words, expected, capsys):
    assert main(["teleop", *words]) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1

"""`steadyhand record` with a person at the keyboard: enable, verdicts, stop and break, as over ROS."""

import os
import subprocess
import sys
from collections import deque
from pathlib import Path
from threading import Event, Thread

import pytest

from steadyhand.transport.demo_set import read_manifest
from tests.terminal_kit import Terminal
from tests.transport_kit import wait_until

ROOT = Path(__file__).resolve().parents[4]


class Program:
    """A verb as a process, with its own terminal, and the lines that it wrote."""

    def __init__(self, *words: str) -> None:
        self.terminal = Terminal()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "steadyhand", *words, f"device.terminal={self.terminal.path}"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        self.lines: deque[str] = deque()
        self._seen = 0
        self._thread = Thread(target=lambda: self.lines.extend(self._process.stdout), daemon=True)
        self._thread.start()

    def says(self, text: str) -> None:
        """Wait for a line, after the one that was waited for last, that contains `text`."""

        def found():
            lines = list(self.lines)
            at = next((i for i in range(self._seen, len(lines)) if text in lines[i]), None)
            if at is not None:
                self._seen = at + 1
            return at is not None or (self._process.poll() is not None and not self._thread.is_alive())

        seen = self._seen
        wait_until(found, 60)
        assert self._seen > seen, f"{text!r} not in {''.join(self.lines)}"

    def press_until(self, key: str, text: str) -> None:
        """Press a key again and again, as a request between two episodes is none, until a line says so."""
        until = self._seen

        def answered():
            self.terminal.type(key)
            Event().wait(0.1)
            return any(text in line for line in list(self.lines)[until:])

        wait_until(answered, 60)
        self.says(text)

    def wait(self) -> int:
        status = self._process.wait(60)
        self._thread.join(5)
        return status

    def __enter__(self):
        return self

    def __exit__(self, *error) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(20)
        self.terminal.close()


@pytest.mark.timeout(300)
def test_a_person_at_the_keyboard_rules_a_recording(tmp_path):
    words = (
        "record",
        "device=keyboard",
        "task=reach",
        "episodes=1",
        "demo.max_attempts=1000",
        "demo.dialogue=null",
        "task.drive.max_steps=30",
        f"run_root={tmp_path}",
        "run_name=keys",
    )
    with Program(*words) as program:
        program.says("waiting for a person to enable motion with enter (motion has not been enabled yet)")
        program.terminal.type("\r")
        program.press_until("n", "verdict of the person: failure")
        program.says("no success")
        program.press_until("g", "verdict of the person: reset")
        program.says("no success")
        program.press_until(" ", "motion disabled: person_stop")
        program.says("no success")
        program.press_until("\r", "  go")
        program.press_until("p", "motion disabled: parked")
        program.terminal.type("\r")
        program.press_until("y", "verdict of the person: success")
        assert program.wait() == 0
    manifest = read_manifest(tmp_path / "keys" / "demos")
    assert (manifest.successes, manifest.expert) == (1, "person (keyboard)")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_demonstration_begins_with_the_person_and_a_countdown(tmp_path):
    words = ("record", "device=keyboard", "task=reach", "episodes=2", "demo.dialogue.countdown_s=1")
    words += ("task.drive.max_steps=10000", f"run_root={tmp_path}", "run_name=keys")
    with Program(*words) as program:
        program.says("waiting for a person to enable motion with enter")
        program.terminal.type("\r")
        program.says("1 ...")
        program.says("go\a")
        program.press_until("g", "verdict of the person: reset")
        program.says("0 of 2; not kept: ")
        program.says("waiting for a person to enable motion with enter (ready for demonstration 1 of 2)")
        program.terminal.type("\r")
        program.says("go")
        program.press_until("y", "verdict of the person: success")
        program.says("1 of 2; kept as demonstration: ")
        program.says("ready for demonstration 2 of 2")
        program.terminal.type("\r")
        program.says("go")
        program.press_until("y", "verdict of the person: success")
        program.says("2 of 2")
        assert program.wait() == 0
    manifest = read_manifest(tmp_path / "keys" / "demos")
    assert (manifest.successes, manifest.episodes) == (2, 2)
    assert not (tmp_path / "keys" / "demos_failed").exists()

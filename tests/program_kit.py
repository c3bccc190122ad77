"""A verb as a process with a terminal of its own, at which a test types."""

import os
import subprocess
import sys
from collections import deque
from pathlib import Path
from threading import Event, Thread

from tests.terminal_kit import Terminal
from tests.transport_kit import wait_until

ROOT = Path(__file__).resolve().parents[1]


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

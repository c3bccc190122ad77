"""One verb of the command line as a process without a terminal, as a benchmark with a person beside it starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from steadyhand.runtime.clock import MonotonicClock
from steadyhand.subprocesses import thread_environment

__all__ = ["Command", "started"]

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = re.compile(r"operator page: (\S+)")
START_S, END_S, POLL_S = 120.0, 60.0, 0.1
SHOWN = 2_000  # characters of the output in an error


class Command:
    """A running `steadyhand <verb>`; its output goes to a file.

    Args:
        verb: The verb.
        words: Its options and overrides.
        log: The file.
        environment: Variables on top of this process's.
    """

    def __init__(self, verb: str, words: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.verb, self._log = verb, log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "steadyhand", verb, *words],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={"MUJOCO_GL": "egl", **os.environ, **thread_environment(1), **environment},
                start_new_session=True,
            )
        self.is_over = threading.Event()
        threading.Thread(target=self._wait, daemon=True).start()

    @property
    def output(self) -> str:
        """The output so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def page_address(self) -> str:
        """Wait for the address of the operator page, and return it.

        Raises:
            RuntimeError: None is printed.
        """
        clock = MonotonicClock()
        until_ns = clock.now_ns() + round(START_S * 1e9)
        while clock.now_ns() < until_ns:
            if found := ADDRESS.search(self.output):
                return found[1]
            if self.is_over.wait(POLL_S):
                break
        raise RuntimeError(f"steadyhand {self.verb}: expected the address of the page, found:\n{self.output[-SHOWN:]}")

    def check(self) -> None:
        """Wait for the end.

        Raises:
            RuntimeError: The status is not 0.
        """
        if (status := self._process.wait()) != 0:
            raise RuntimeError(f"steadyhand {self.verb}: ended with status {status}:\n{self.output[-SHOWN:]}")

    def end(self) -> None:
        """Ask the process to end, and kill it if it does not."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _wait(self) -> None:
        self._process.wait()
        self.is_over.set()


@contextmanager
def started(verb: str, words: Sequence[str], folder: Path, **environment: str) -> Iterator[Command]:
    """Start a verb, with its output in `<verb>.log` of a folder, and end it in every case."""
    command = Command(verb, words, folder / f"{verb}.log", environment)
    try:
        yield command
    finally:
        command.end()

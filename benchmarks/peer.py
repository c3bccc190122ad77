"""A process of the benchmark that takes commands line by line, and answers in JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any

from steadyhand.subprocesses import thread_environment

__all__ = ["Peer", "PeerError", "answer", "wait_for_word"]

END_S = 20.0


class PeerError(RuntimeError):
    """A process ended before it answered."""


class Peer:
    """A module of the benchmark in its own process, with one thread for its numerical libraries.

    Args:
        module: The module that Python runs.
        arguments: The command line of the module.
        python: The interpreter; it may be one of another environment.
    """

    def __init__(self, module: str, arguments: Sequence[object], python: str = sys.executable) -> None:
        self._module = module
        self._process = subprocess.Popen(
            [python, "-m", module, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **thread_environment(1)},
        )

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def kill(self) -> None:
        """End the process by SIGKILL."""
        self._process.kill()
        self._process.wait()

    def tell(self, word: str = "go") -> None:
        """Send the process the command to continue."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Return the next answer of the process.

        Raises:
            PeerError: The process ended before it answered.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise PeerError(f"{self._module}: ended with status {self._process.wait(END_S)} before it answered")
        return dict(json.loads(line))

    def close(self) -> None:
        """Close the standard input, which ends the process; kill the process if it does not end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # of a process that was killed with a command in its pipe
            self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def answer(**facts: object) -> None:
    """In a peer: write an answer."""
    sys.stdout.write(f"{json.dumps(facts)}\n")
    sys.stdout.flush()


def wait_for_word() -> bool:
    """In a peer: wait for the command to continue; return False if the parent is gone."""
    return bool(sys.stdin.readline())

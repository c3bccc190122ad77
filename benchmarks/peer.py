"""A process of the benchmark that is told what to do line by line, and answers in JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from steadyhand.children import thread_environment

__all__ = ["Peer", "PeerError", "answer", "wait_for_word"]

END_S = 20.0


class PeerError(RuntimeError):
    """A process that has ended before it answered."""


class Peer:
    """A module of the benchmark in a process of its own, with one thread for its numerical libraries.

    Args:
        module: What Python runs.
        arguments: Its command line.
    """

    def __init__(self, module: str, arguments: Sequence[object]) -> None:
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
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

    def tell(self, word: str = "go") -> None:
        """Say that it may go on."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Return its next answer.

        Raises:
            PeerError: It has ended instead.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise PeerError(f"{self._module}: ended with status {self._process.wait(END_S)} before it answered")
        return dict(json.loads(line))

    def close(self) -> None:
        """Close its standard input, at which it ends; kill it when it does not."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def answer(**facts: object) -> None:
    """Within a peer: answer."""
    sys.stdout.write(f"{json.dumps(facts)}\n")
    sys.stdout.flush()


def wait_for_word() -> bool:
    """Within a peer: return when it is told to go on; False when nobody is there any more."""
    return bool(sys.stdin.readline())

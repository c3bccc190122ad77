"""Learner and actor as child processes: thread limits, supervision, and shutdown in the right order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.provenance import SOURCE

__all__ = ["Child", "ChildError", "end_with_parent", "ending", "free_addresses", "is_child", "thread_environment"]

TAIL_LINES = 12
PARENT = "STEADYHAND_PARENT_PID"
POLL_NS = 500_000_000
# Thread limits of every library below torch and numpy that starts its own threads.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class ChildError(RuntimeError):
    """A child process died, or made no progress. The message ends with its last lines."""


class Child:
    """One `steadyhand <verb>` process in its own session, so that Ctrl-C reaches only the parent.

    Args:
        verb: The verb to run.
        overrides: Its configuration.
        log: Takes standard error, and standard output too unless `shown`.
        threads: How many threads its numerical libraries may use.
        shown: Whether its standard output is the parent's, as for the actor's live view.
        environment: Variables on top of the parent's.
        module: The module that Python runs in place of the command line's.
    """

    def __init__(
        self,
        verb: str,
        overrides: Sequence[str],
        log: Path,
        threads: int,
        shown: bool = False,
        environment: Mapping[str, str] | None = None,
        module: str = "",
    ) -> None:
        self.verb, self.log = verb, log
        self._shown_as = module or f"steadyhand {verb}"
        program = [module] if module else ["steadyhand", verb]
        command = [sys.executable, "-m", *program, *overrides]
        with log.open("ab") as file:
            self._process = subprocess.Popen(  # noqa: S603  our own verbs
                command,
                stdin=subprocess.DEVNULL,
                stdout=None if shown else file,
                stderr=file,
                env={
                    **os.environ,
                    **thread_environment(threads),
                    **_import_path(),
                    **(environment or {}),
                    PARENT: str(os.getpid()),
                },
                start_new_session=True,
            )

    @property
    def status(self) -> int | None:
        """Return the exit status; None while it runs."""
        return self._process.poll()

    def ending_text(self) -> str:
        """Return a phrase that says how the process ended."""
        status = self.status
        if status is None:
            return "is still running"
        return f"ended with status {status}" if status >= 0 else f"was killed by {signal.Signals(-status).name}"

    def tail(self, lines: int = TAIL_LINES) -> list[str]:
        """Return the last lines of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]

    def end(self, grace_s: float) -> int:
        """Ask the process to stop, and kill it if it does not; return the exit status."""
        if self.status is None:
            self._process.terminate()
            try:
                self._process.wait(grace_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._process.wait()

    def error(self, what: str) -> ChildError:
        """Return an error about this child that ends with the last lines of its log."""
        tail = "".join(f"\n  | {line}" for line in self.tail()) or " (it wrote nothing)"
        return ChildError(f"`{self._shown_as}` {what}; its last lines, from {self.log}:{tail}")


@contextmanager
def ending(child: Child, grace_s: float) -> Iterator[Child]:
    """End the child when the context ends, normally or by an exception."""
    try:
        yield child
    finally:
        child.end(grace_s)


def thread_environment(threads: int) -> dict[str, str]:
    """Return environment variables that limit the numerical libraries to `threads` threads."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads))


def is_child() -> bool:
    """Return whether this process was started by `Child`."""
    return PARENT in os.environ


def end_with_parent() -> None:
    """In a child process: shut down cleanly when the parent has died without ending it."""
    if not is_child():
        return
    parent = int(os.environ[PARENT])

    def watch() -> None:
        clock = MonotonicClock()
        while os.getppid() == parent:
            clock.sleep_until(clock.now_ns() + POLL_NS)
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=watch, name="parent watch", daemon=True).start()


def free_addresses(count: int) -> list[str]:
    """Return `count` different loopback addresses whose ports were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"tcp://127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _import_path() -> Mapping[str, str]:
    """Return the PYTHONPATH with which the child imports this source from any working directory."""
    earlier = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([str(SOURCE), *([earlier] if earlier else [])])}

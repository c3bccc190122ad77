"""The request to stop: set by a signal, read between two steps."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from steadyhand.runtime.clock import MonotonicClock

__all__ = ["StopFlag"]


# A terminal sends Ctrl-C to all of a launcher's processes, and the launcher sends it to each of them once more.
SAME_WISH_NS = 1_000_000_000


class StopFlag:
    """A flag that a signal handler may set at any time. No lock: a handler that waits for one would never return."""

    def __init__(self) -> None:
        self._is_set = False

    def __call__(self) -> bool:
        """Return whether to stop."""
        return self._is_set

    def set(self) -> None:
        """Ask for a stop."""
        self._is_set = True

    @contextmanager
    def on_signals(self) -> Iterator[StopFlag]:
        """Set the flag at SIGINT or SIGTERM while the context lasts.

        A second signal, a second or more after the first, ends the process as usual. Only the main thread of a process
        may enter it.
        """
        earlier = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        clock, first_ns = MonotonicClock(), 0

        def handle(number: int, frame: FrameType | None) -> None:
            nonlocal first_ns
            now_ns = clock.now_ns()
            if not self():
                first_ns = now_ns
                self.set()
            elif now_ns - first_ns >= SAME_WISH_NS:
                restore()
                os.kill(os.getpid(), number)

        def restore() -> None:
            for number, handler in earlier.items():
                signal.signal(number, handler)

        for number in earlier:
            signal.signal(number, handle)
        try:
            yield self
        finally:
            restore()

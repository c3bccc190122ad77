"""The wish to stop: set by a signal, looked at between two steps."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["StopFlag"]


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
        """Set the flag at SIGINT or SIGTERM while the context lasts; a second signal ends the process as usual.

        Only the main thread of a process may enter it.
        """
        earlier = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def handle(number: int, frame: FrameType | None) -> None:
            self.set()
            restore()

        def restore() -> None:
            for number, handler in earlier.items():
                signal.signal(number, handler)

        for number in earlier:
            signal.signal(number, handle)
        try:
            yield self
        finally:
            restore()

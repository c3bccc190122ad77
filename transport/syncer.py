"""Periodic sync of the learner's stored records to its disk, on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from steadyhand.runtime.logging import get_logger

__all__ = ["Syncer"]

_log = get_logger("transport.syncer")


class Syncer:
    """Calls `sync` once a period until it is closed.

    One sync serves everything that came before it, so its cost does not grow with the number of records. A disk that
    refuses is reported once and tried again. Until then no record counts as durable, and no actor forgets one.

    Args:
        sync: Returns when everything stored so far survives a power cut; raises OSError when the disk refuses.
        period_s: Time between the end of one sync and the start of the next.
    """

    def __init__(self, sync: Callable[[], None], period_s: float) -> None:
        self.fault: OSError | None = None  # why the newest sync failed; None when it did not
        self._sync, self._period_s = sync, period_s
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._main, name="log sync", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, when a running sync has ended."""
        self._closed.set()
        self._thread.join()

    def _main(self) -> None:
        while not self._closed.wait(self._period_s):
            try:
                self._sync()
            except OSError as error:
                if self.fault is None:
                    _log.error("records cannot be put on the disk, so actors keep them: %s; free disk space", error)
                self.fault = error
            else:
                if self.fault is not None:
                    _log.info("records are put on the disk again")
                self.fault = None

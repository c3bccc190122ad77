"""Periodic check of all stored records for damage, on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import numpy as np

from steadyhand.runtime.logging import get_logger, quoted
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.segment import LogError

__all__ = ["Scrubber"]

PIECE_S = 0.1  # longest piece of work between two looks at whether to stop
REST_S = 1.0  # between two rounds

_log = get_logger("transport.scrubber")


class Scrubber:
    """Reads the checksums of logs round after round until it is closed.

    A disk may change bytes long after they were written; without this the next reader finds it, when the actor's copy
    is gone.

    Args:
        folders: Returns the folders of the logs.
        report: Called with (session_id, numbers) of damaged records, on this object's thread, once a round.
        bytes_per_s: Pace.
    """

    def __init__(
        self, folders: Callable[[], Iterable[Path]], report: Callable[[str, list[int]], None], bytes_per_s: float
    ) -> None:
        self.rounds = 0  # complete ones
        self._folders, self._report, self._bytes_per_s = folders, report, bytes_per_s
        self._told: set[Path] = set()  # logs that could not be read, and were reported
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._main, name="log scrub", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, within a moment."""
        self._closed.set()
        self._thread.join()

    def _main(self) -> None:
        while not self._closed.wait(REST_S):
            for folder in list(self._folders()):
                try:
                    self._check(folder)
                except (LogError, OSError) as error:
                    if folder not in self._told:
                        _log.error("%s: cannot be checked: %s", folder, quoted(str(error), 160))
                    self._told.add(folder)
                if self._closed.is_set():
                    return
            self.rounds += 1

    def _check(self, folder: Path) -> None:
        with closing(LogReader(folder)) as reader:
            size, count = reader.dtype.itemsize, len(reader)
            piece = max(1, int(self._bytes_per_s * PIECE_S / size))
            for first in range(0, count, piece):
                rows = np.arange(first, min(first + piece, count))
                damaged = rows[~reader.verify(rows)]
                if damaged.size:
                    self._report(reader.session_id, [reader.seq_at(row) for row in damaged.tolist()])
                if self._closed.wait(len(rows) * size / self._bytes_per_s):
                    return

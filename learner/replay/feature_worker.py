"""A thread that encodes records as they arrive, ahead of the updates that need them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from steadyhand.learner.replay.features import FeatureCache
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.record import Phase

__all__ = ["FeatureWorker"]


class FeatureWorker:
    """Fills a cache. It opens the logs itself, as one thread uses a reader."""

    def __init__(self, cache: FeatureCache) -> None:
        self._cache = cache
        self._folders: dict[Path, None] = {}  # in the order of the calls of `tell`
        self._news, self._closing = threading.Event(), False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="features", daemon=True)
        self._thread.start()

    def tell(self, readers: Iterable[LogReader]) -> None:
        """Announce the logs, which may be new or have grown.

        Raises:
            Exception: The error that has ended the thread.
        """
        if self._failure is not None:
            raise self._failure
        self._folders = dict.fromkeys(reader.folder for reader in readers)
        self._news.set()

    def close(self) -> None:
        """End after the record at hand."""
        self._closing = True
        self._news.set()
        self._thread.join()

    def _run(self) -> None:
        readers: dict[Path, LogReader] = {}
        done: dict[Path, int] = {}
        try:
            while not self._closing:
                self._news.wait()
                self._news.clear()
                for folder in self._folders:
                    reader = readers[folder] if folder in readers else readers.setdefault(folder, LogReader(folder))
                    done[folder] = self._encode(reader, done.get(folder, 0), reader.refresh())
        except Exception as error:  # any error is raised in the thread that needs the features
            self._failure = error
        finally:
            for reader in readers.values():
                reader.close()

    def _encode(self, reader: LogReader, first: int, end: int) -> int:
        """Encode rows [first, end) and return the row where it stopped; records of evaluations are left out."""
        rows = np.arange(first, end)
        wanted = rows[reader.gather(rows, "phase") != Phase.EVAL] if len(rows) else rows
        for row in wanted.tolist():
            if self._closing:
                return row
            if not reader.verify([row])[0]:
                continue  # its features would outlive a repair
            if not self._cache.claims(reader.session_id, reader.seq_at(row)):
                self._cache.encode(reader, row)
        return end

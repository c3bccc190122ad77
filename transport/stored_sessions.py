"""The stored sessions of a learner run: one log each, in a folder that has the session's id as its name."""

from __future__ import annotations

import re
from pathlib import Path

from steadyhand.runtime.run_folder import make_folder
from steadyhand.transport import log_folder
from steadyhand.transport.damage import damage_from
from steadyhand.transport.log import LogError, LogReader, LogWriter
from steadyhand.transport.quarantine import Quarantine
from steadyhand.transport.recovery import recover
from steadyhand.transport.wire import Hello

__all__ = ["StoredSessions"]

SESSION_FOLDER = re.compile(r"[0-9a-f]{32}")


class StoredSessions:
    """The logs of a run's sessions, open or not; the intake's lock guards them.

    Attributes:
        readers: One reader per session, new sessions last.
        durable: By session, the number before which its records survive a power cut.
    """

    def __init__(self, folder: Path, segment_bytes: int, quarantine: Quarantine) -> None:
        """Recover the existing logs.

        Args:
            folder: Holds one log folder per session.
            segment_bytes: Size of a log's files.
            quarantine: Takes records that are damaged in a log.

        Raises:
            LogError: A log cannot be read.
            OSError: The disk is full.
        """
        self._folder, self._segment_bytes, self._quarantine = folder, segment_bytes, quarantine
        self.durable: dict[str, int] = {}
        make_folder(folder)
        names = sorted(path.name for path in folder.iterdir() if SESSION_FOLDER.fullmatch(path.name))
        self.readers = {name: self._recovered(name) for name in names if log_folder.paths(folder / name)}

    def open(self, hello: Hello) -> LogWriter:
        """Open the log of a session that is not open, a new one or an earlier one; return its writer.

        Raises:
            LogError: The log cannot be continued.
            OSError: The disk is full.
        """
        # This seals and syncs the records that an earlier start left in the page cache.
        folder = self._own_folder(hello.session_id)
        writer = LogWriter(folder, hello.schema, hello.actor_id, hello.session_id, self._segment_bytes)
        try:
            # From here on the actor may be told to forget what is stored: what it still has is checked before.
            damaged = [*writer.damaged, *damage_from(folder, hello.first_seq)]
            if hello.session_id not in self.readers:
                self.readers[hello.session_id] = LogReader(folder)
        except (OSError, LogError):
            writer.close()
            raise
        self._quarantine.watch(hello.session_id, hello.schema)
        self._quarantine.report(hello.session_id, damaged)
        self.durable[hello.session_id] = writer.next_seq
        return writer

    def close(self) -> None:
        """Close the files of the readers; data that they have mapped stay readable."""
        for reader in self.readers.values():
            reader.close()

    def _recovered(self, session_id: str) -> LogReader:
        """Return a reader of an earlier session's log, in which every record that is missing has a place."""
        folder = self._own_folder(session_id)
        damaged = recover(folder, fill_from=0).damaged
        reader = LogReader(folder)
        self._quarantine.watch(session_id, reader.schema)
        if damaged:
            self._quarantine.report(session_id, damaged)
            reader.verify(reader.rows_of(damaged))
        return reader

    def _own_folder(self, session_id: str) -> Path:
        """Return the folder of a session's log.

        Raises:
            LogError: It is a link, which may lead to another log.
        """
        folder = self._folder / session_id
        if folder.is_symlink():
            raise LogError(f"{folder}: expected a folder, found a symbolic link; remove it")
        return folder

"""The attempts at a demonstration that did not succeed, as a demo set of their own.

Each carries a failure label, so that none is ever imitated; reward classifiers and offline algorithms learn from them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from steadyhand.actor.recording import Attempt, RecordingConfig, empty_manifest
from steadyhand.transport.demo_set import is_demo_set, read_manifest, write_manifest
from steadyhand.transport.label_log import append_label, failure_label
from steadyhand.transport.log import LogWriter
from steadyhand.transport.run_identity import write_identity
from steadyhand.transport.schema import Schema

__all__ = ["FailedAttempts"]


class FailedAttempts:
    """The demo set of the attempts without success. Nothing is on the disk before the first of them.

    Args:
        config: The settings of the recording.
        schema: Schema of the records.
        folder: Folder of the set; an existing set is continued.
    """

    def __init__(self, config: RecordingConfig, schema: Schema, folder: Path) -> None:
        self._config, self._schema, self._folder = config, schema, folder
        self._writer: LogWriter | None = None
        self._manifest = empty_manifest(config, schema)

    def add(self, attempt: Attempt) -> None:
        """Append an attempt's records and its failure label. An attempt without a step is not kept.

        Raises:
            LogError: The folder holds records of another schema or actor.
        """
        records, steps = attempt.records, attempt.steps
        if not steps:
            return
        writer = self._open()
        first = writer.next_seq
        # The label comes first: a crash between the two leaves a label without records, never the reverse.
        m = self._manifest
        append_label(self._folder, failure_label(m.session_id, first, first + len(records), m.expert))
        for record in records:
            writer.append(record)
        writer.sync()
        self._manifest = replace(m, episodes=m.episodes + 1, steps=m.steps + steps)
        write_manifest(self._folder, self._manifest)

    def close(self) -> None:
        """Close the log."""
        if self._writer is not None:
            self._writer.close()

    def _open(self) -> LogWriter:
        if self._writer is None:
            is_new = not is_demo_set(self._folder)
            if not is_new:
                self._manifest = read_manifest(self._folder)
            m = self._manifest
            self._writer = LogWriter(self._folder, self._schema, m.actor_id, m.session_id, self._config.segment_bytes)
            write_manifest(self._folder, m)
            if is_new:
                write_identity(self._folder, self._config.identity)
        return self._writer

"""The recorded data that a learner reads besides what its own actors send."""

from __future__ import annotations

from pathlib import Path

from steadyhand.learner.learner_settings import Demonstrations
from steadyhand.learner.prior import PriorData
from steadyhand.transport.demo_set import read_manifest
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.schema import Schema, SchemaError

__all__ = ["Sources"]


class Sources:
    """Demonstrations, and the records of other runs.

    Args:
        demos: Demo sets of this run.
        prior: Logs of other runs, and demo sets and logs of the earlier run that this one starts from.

    Attributes:
        demos: Readers of all demo sets, this run's own first.
        logs: Readers of other runs' practice logs.
        earlier: Sessions of the earlier run's demo sets and logs.

    Raises:
        SchemaError: The manifest of a demo set and its log differ.
        LogError: A log cannot be read.
    """

    def __init__(self, demos: Demonstrations, prior: PriorData) -> None:
        own = [_open_demo_set(folder) for folder in demos.folders]
        self.demos = [*own, *(_open_demo_set(folder) for folder in prior.earlier.demos)]
        self.logs = [LogReader(folder) for folder in (*prior.logs, *prior.earlier.logs)]
        others = (*self.demos[len(own) :], *self.logs[len(prior.logs) :])
        self.earlier = {reader.session_id for reader in others}
        self._own_demos = own

    @property
    def readers(self) -> list[LogReader]:
        """Return the readers of all data, always in the same order."""
        return [*self.demos, *self.logs]

    @property
    def scaling_demos(self) -> list[LogReader]:
        """Return the readers of the demonstrations that scale the policy's inputs: this run's, if it has any."""
        return self._own_demos or self.demos

    @property
    def schema(self) -> Schema | None:
        """Return the schema of the first reader; None without data."""
        return self.readers[0].schema if self.readers else None


def _open_demo_set(folder: Path) -> LogReader:
    manifest, reader = read_manifest(folder), LogReader(folder)
    if differences := manifest.schema.diff(reader.schema):
        raise SchemaError(f"{folder}: its manifest and its log differ: {'; '.join(differences)}")
    return reader

"""Disk space of a run: the forecast, the data that it holds, and the data that may be deleted."""

from __future__ import annotations

import shutil
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.run_folder import ActorFolder, RunFolder
from steadyhand.transport import log_folder
from steadyhand.transport.ack_file import unacknowledged
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.log import LogError, LogReader
from steadyhand.transport.record import record_dtype
from steadyhand.transport.schema import Schema

__all__ = [
    "FORMER_METRICS",
    "FORMER_OUTBOX",
    "Forecast",
    "RunInUseError",
    "bring_over",
    "check_room",
    "disk_bytes",
    "forecast",
    "is_local",
    "outboxes",
    "waiting_records",
]

FORMER_OUTBOX = "actor"  # below the run's log/: earlier releases kept the single actor's logs there
FORMER_METRICS = "actor.jsonl"  # below its metrics/
HELD = 2  # once in the actor's log until the learner holds it, once in the learner's
SPARE_SEGMENTS = 2  # of each log: the segment being written and the next one, preallocated


class RunInUseError(RuntimeError):
    """A run that a process still uses, or that holds the only copy of some data."""


@dataclass(frozen=True)
class Forecast:
    """Disk space for `steps` steps if actor and learner share a disk. An episode has one record more than steps."""

    record_bytes: int
    steps: int
    needed_bytes: int  # records, their features, and the segments that are preallocated
    free_bytes: int  # on the disk now

    def line(self) -> str:
        """Return the forecast as text."""
        return (
            f"{self.steps} steps of {self.record_bytes / 1e3:.1f} kB need {self.needed_bytes / 1e9:.1f} GB, "
            f"{self.free_bytes / 1e9:.1f} GB are free"
        )


def forecast(
    schema: Schema, steps: int, transport: TransportConfig, folder: Path, copies: int = 1, feature_bytes: int = 0
) -> Forecast:
    """Return the disk space that recording `steps` steps will need.

    Args:
        schema: Schema of the records.
        steps: Number of steps still to record.
        transport: Sizes of segments and of the actor's quota.
        folder: A folder on the disk in question.
        copies: Number of logs that keep every record: 1 if the learner is elsewhere or the actor's log is trimmed.
        feature_bytes: Bytes of features that the learner keeps on this disk per record.
    """
    record_bytes = record_dtype(schema).itemsize
    data_bytes = record_bytes * steps
    # The quota bounds the records that the actor holds for an absent learner.
    waiting_bytes = 0 if copies >= HELD else min(data_bytes, transport.quota_bytes)
    spare_bytes = HELD * SPARE_SEGMENTS * max(transport.segment_bytes, record_bytes)
    free_bytes = shutil.disk_usage(folder).free
    needed_bytes = copies * data_bytes + feature_bytes * steps + waiting_bytes + spare_bytes
    return Forecast(record_bytes, steps, needed_bytes, free_bytes)


def check_room(found: Forecast, transport: TransportConfig, folder: Path) -> None:
    """Refuse a run that would not fit on its disk.

    Raises:
        ConfigError: The run needs more than the free space minus the reserve.
    """
    if found.needed_bytes > found.free_bytes - transport.min_free_bytes:
        raise ConfigError(
            f"{folder}: {found.line()}, of which {transport.min_free_bytes / 1e9:.1f} GB are to stay free "
            "(transport.min_free_bytes); free some space (`steadyhand runs prune`), put runs elsewhere with "
            "run_root=..., or practise less with actor.max_env_steps=..."
        )


def is_local(address: str) -> bool:
    """Return whether a learner at this address is on this machine, and thus on this disk."""
    return address.startswith(("tcp://127.", "tcp://localhost", "tcp://[::1]"))


def disk_bytes(folder: Path) -> int:
    """Return the size of the files below `folder` [bytes]; links are not followed."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if not path.is_symlink())


def waiting_records(run: RunFolder) -> int:
    """Return the number of the actors' records that the learner is not known to hold.

    Raises:
        LogError: A log is damaged, so the number is unknown.
    """
    return sum(unacknowledged(path)[0] for outbox in outboxes(run) for path in _logs(outbox))


def outboxes(run: RunFolder) -> list[Path]:
    """Return the folders in which actors of the run keep their logs, including those of earlier releases."""
    found = [*(actor.outbox for actor in run.actor_folders()), run.log / FORMER_OUTBOX]
    return [path for path in found if path.is_dir()]


def bring_over(run: RunFolder, actor: ActorFolder, host_id: str) -> None:
    """Move this actor's logs and metrics from the place of an earlier release to the current one.

    Those of another actor stay in place and are still read. An interrupted move continues at the next start.

    Args:
        run: The run.
        actor: The folder of this process's actor.
        host_id: Actor id of this machine, under which earlier releases recorded.
    """
    former, metrics = run.log / FORMER_OUTBOX, run.metrics / FORMER_METRICS
    recorded = {path: _actor_of(path) for path in _logs(former)}
    newest = max(recorded, key=lambda path: path.stat().st_mtime_ns, default=None)
    owner = host_id if newest is None else recorded[newest]
    if owner == actor.actor_id and metrics.exists() and not actor.metrics.exists():
        metrics.rename(actor.metrics)
    for path, recorded_by in recorded.items():
        if recorded_by == actor.actor_id:
            actor.outbox.mkdir(exist_ok=True)
            path.rename(actor.outbox / path.name)
    with suppress(OSError):
        former.rmdir()


def _logs(outbox: Path) -> list[Path]:
    folders = sorted(outbox.iterdir()) if outbox.is_dir() else []
    return [path for path in folders if path.is_dir() and log_folder.paths(path)]


def _actor_of(log: Path) -> str:
    """Return the actor that recorded a log; "" for a damaged log."""
    try:
        with closing(LogReader(log)) as reader:
            return reader.actor_id
    except LogError:
        return ""

"""Disk: what a run will need, what it holds, and what of it may go."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from steadyhand.runtime.config import ConfigError
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport import segment
from steadyhand.transport.acknowledged import unacknowledged
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.record import record_dtype
from steadyhand.transport.schema import Schema

__all__ = ["OUTBOX", "Forecast", "RunInUseError", "check_room", "disk_bytes", "forecast", "is_local", "waiting_records"]

OUTBOX = "actor"  # below the run's log/, where the learner keeps what has arrived
HELD = 2  # once in the actor's log until the learner holds it, once in the learner's
SPARE_SEGMENTS = 2  # of each log: the one that is written and the one prepared behind it


class RunInUseError(RuntimeError):
    """A run that something still works on, or that holds what exists nowhere else."""


@dataclass(frozen=True)
class Forecast:
    """What a practice of `steps` steps writes where actor and learner share a disk; an episode has one record more."""

    record_bytes: int
    steps: int
    needed_bytes: int  # records, their features, and the segments that are preallocated
    free_bytes: int  # on the disk now

    def line(self) -> str:
        """Return it in words."""
        return (
            f"{self.steps} steps of {self.record_bytes / 1e3:.1f} kB need {self.needed_bytes / 1e9:.1f} GB, "
            f"{self.free_bytes / 1e9:.1f} GB are free"
        )


def forecast(
    schema: Schema, steps: int, transport: TransportConfig, folder: Path, copies: int = 1, feature_bytes: int = 0
) -> Forecast:
    """Say what recording `steps` steps will take.

    Args:
        schema: Of the records.
        steps: How many are still to come.
        transport: Sizes of segments and of the actor's quota.
        folder: On the disk that is written to.
        copies: Logs that grow by every record for good: 1 where the learner's is elsewhere or the actor's is trimmed.
        feature_bytes: What the learner keeps on this disk beside each record.
    """
    record_bytes = record_dtype(schema).itemsize
    data_bytes = record_bytes * steps
    # What the actor holds back for a learner that is away is bounded by the quota.
    waiting_bytes = 0 if copies >= HELD else min(data_bytes, transport.quota_bytes)
    spare_bytes = HELD * SPARE_SEGMENTS * max(transport.segment_bytes, record_bytes)
    free_bytes = shutil.disk_usage(folder).free
    needed_bytes = copies * data_bytes + feature_bytes * steps + waiting_bytes + spare_bytes
    return Forecast(record_bytes, steps, needed_bytes, free_bytes)


def check_room(found: Forecast, transport: TransportConfig, folder: Path) -> None:
    """Refuse a run that would not fit on its disk.

    Raises:
        ConfigError: It needs more than there is, less what is to stay free.
    """
    if found.needed_bytes > found.free_bytes - transport.min_free_bytes:
        raise ConfigError(
            f"{folder}: {found.line()}, of which {transport.min_free_bytes / 1e9:.1f} GB are to stay free "
            "(transport.min_free_bytes); free some space (`steadyhand runs prune`), put runs elsewhere with "
            "run_root=..., or practise less with actor.max_env_steps=..."
        )


def is_local(address: str) -> bool:
    """Return whether a learner at this address is on this machine, and so on this disk."""
    return address.startswith(("tcp://127.", "tcp://localhost", "tcp://[::1]"))


def disk_bytes(folder: Path) -> int:
    """Return the room that the files below `folder` take; links are not followed."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if not path.is_symlink())


def waiting_records(run: RunFolder) -> int:
    """Return how many records of the run's actor the learner is not known to hold.

    Raises:
        LogError: A log is damaged, so nobody knows.
    """
    outbox = run.log / OUTBOX
    folders = sorted(outbox.iterdir()) if outbox.is_dir() else []
    return sum(unacknowledged(path)[0] for path in folders if path.is_dir() and segment.paths(path))

"""Checks of the disk and the folder of the runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from steadyhand.doctor.finding import Finding, broken, note, ok

__all__ = ["CHECKS"]

COMFORTABLE_BYTES = 10 * 10**9  # checkpoints, logs with frames, a film
SEGMENTS = 4  # log files that are preallocated at the start: demos, outbox, learner's log, spare


def check_disk(config: Mapping[str, Any]) -> Finding:
    """Check that the disk has space for a run."""
    root = Path(config["run_root"]).expanduser().absolute()
    there = _existing(root)
    free = shutil.disk_usage(there).free
    needed = SEGMENTS * int(config["transport"]["segment_bytes"])
    found = f"{free / 1e9:.1f} GB free at {root}"
    mend = "free some space, or put runs elsewhere with run_root=/data/runs"
    if free < needed:
        return broken("disk", f"{found}, a run needs {needed / 1e9:.1f} GB to begin", mend)
    if free < COMFORTABLE_BYTES:
        return note("disk", found, mend)
    return ok("disk", found)


def check_run_root(config: Mapping[str, Any]) -> Finding:
    """Check that the folder of the runs is writable."""
    root = Path(config["run_root"]).expanduser().absolute()
    there = _existing(root)
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return ok("runs", f"{root} may be written")
    return broken("runs", f"{there} may not be written", "change its owner, or put runs elsewhere with run_root=...")


def _existing(path: Path) -> Path:
    """Return the path, or its nearest existing parent folder."""
    while not path.exists():
        path = path.parent
    return path


CHECKS = (check_disk, check_run_root)

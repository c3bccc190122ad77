"""The notes that a replayed robot keeps beside its log, and that survive its death: what it recorded, and when."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["ACKNOWLEDGED", "JOINED", "RECORDED", "Notes", "read_notes"]

# Each note is a row of int64; times are those of the machine's monotonic clock [ns].
RECORDED = ("stamp_ns", "crc")  # after the append of a record: its stamp, CRC-32 of its observation
ACKNOWLEDGED = ("now_ns", "next_seq", "durable_seq")  # when the learner's report changed
JOINED = ("now_ns",)  # when the learner had accepted the robot


class Notes:
    """One file of notes of `columns`, which this process continues. One thread writes."""

    def __init__(self, folder: Path, columns: tuple[str, ...]) -> None:
        self._columns = len(columns)
        self._file = os.open(_path(folder, columns), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def add(self, *values: int) -> None:
        """Append a note; the kernel has it when this returns."""
        if len(values) != self._columns:
            raise ValueError(f"note: expected {self._columns} values, found {len(values)}")
        os.write(self._file, np.array(values, "<i8").tobytes())

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def read_notes(folder: Path, columns: tuple[str, ...]) -> NDArray[np.int64]:
    """Return all notes of `columns`, (n, number of columns)."""
    path = _path(folder, columns)
    raw = path.read_bytes() if path.exists() else b""
    width = 8 * len(columns)
    return np.frombuffer(raw[: len(raw) // width * width], "<i8").reshape(-1, len(columns)).astype(np.int64)


def _path(folder: Path, columns: tuple[str, ...]) -> Path:
    return folder / f"{'-'.join(columns)}.notes"

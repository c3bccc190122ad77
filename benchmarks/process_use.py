"""The memory, descriptors, threads and processor time of a running process, as Linux counts them."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["ProcessUse", "process_use"]

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_S = os.sysconf("SC_CLK_TCK")
USER_TICKS, SYSTEM_TICKS, THREADS = 11, 12, 17  # places in /proc/<pid>/stat after the name


@dataclass(frozen=True)
class ProcessUse:
    """The use of one process at one moment, or of several together.

    Attributes:
        rss_mb: Resident memory [MB], without the pages of mapped files.
        descriptors: Number of open files and sockets.
        threads: Number of threads.
        cpu_s: Processor time since its start [s].
    """

    rss_mb: float
    descriptors: int
    threads: int
    cpu_s: float

    def __add__(self, other: ProcessUse) -> ProcessUse:
        return ProcessUse(
            self.rss_mb + other.rss_mb,
            self.descriptors + other.descriptors,
            self.threads + other.threads,
            self.cpu_s + other.cpu_s,
        )

    def to_json(self) -> dict[str, float]:
        """Return plain JSON values."""
        return {name: round(value, 2) for name, value in asdict(self).items()}


def process_use(pid: int) -> ProcessUse:
    """Return the use of a process now.

    Raises:
        FileNotFoundError: There is no such process.
    """
    place = Path("/proc") / str(pid)
    fields = (place / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    pages, shared = map(int, (place / "statm").read_text(encoding="ascii").split()[1:3])
    cpu_s = (int(fields[USER_TICKS]) + int(fields[SYSTEM_TICKS])) / TICKS_S
    rss_mb = (pages - shared) * PAGE_BYTES / 1e6
    return ProcessUse(rss_mb, len(os.listdir(place / "fd")), int(fields[THREADS]), cpu_s)

"""The C library's allocator, set up for arrays that come and go a hundred times a second."""

from __future__ import annotations

import ctypes

__all__ = ["keep_freed_memory"]

# Parameters of mallopt, from glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
TRIM_BYTES = (1 << 31) - 1
MMAP_BYTES = 1 << 25  # the most that glibc accepts


def keep_freed_memory() -> bool:
    """Let the process keep memory that was freed; returns whether this C library can.

    glibc gives arrays of more than 128 kB back to the system at once, so every gradient step paid for fresh, zeroed
    pages: a quarter of the time of a state update on a CPU.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, MMAP_BYTES)) and bool(mallopt(M_TRIM_THRESHOLD, TRIM_BYTES))

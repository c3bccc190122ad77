"""Features of one session's records on disk: a slot for every record number, verified by its checksum."""

from __future__ import annotations

import mmap
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FeatureFile"]

CRC_BYTES = 4


class FeatureFile:
    """Slots of one dtype, the first field of which is their checksum `crc`.

    A slot that was never written is a hole in the file, and one that a crash has cut short has a wrong checksum: both
    are missing. Any thread may write and ask `claims`, one thread reads.
    """

    def __init__(self, path: Path, dtype: np.dtype[Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._dtype = dtype
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self._slots: NDArray[Any] = np.empty(0, dtype)  # a read-only mapping
        self._whole = np.zeros(0, np.bool_)  # slots whose checksum has been seen to be right

    def write(self, seq: int, slot: NDArray[Any]) -> None:
        """Put the slot () of record `seq` in its place.

        Raises:
            OSError: The disk is full, for example; the slot is still missing.
        """
        data = bytearray(slot.tobytes())
        data[:CRC_BYTES] = _crc(seq, memoryview(data)[CRC_BYTES:]).to_bytes(CRC_BYTES, "little")
        os.pwrite(self._fd, data, seq * self._dtype.itemsize)

    def claims(self, seq: int) -> bool:
        """Return whether a record's slot was written; only reading it shows whether it is whole."""
        return os.pread(self._fd, CRC_BYTES, seq * self._dtype.itemsize) not in (b"", bytes(CRC_BYTES))

    def has(self, seqs: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return a mask (n,) of the records whose slot is whole."""
        if len(seqs) and seqs.max() >= len(self._slots):
            self._map()
        there: NDArray[np.bool_] = seqs < len(self._slots)
        for seq in np.unique(seqs[there][~self._whole[seqs[there]]]).tolist():
            if crc := int(self._slots["crc"][seq]):
                self._whole[seq] = crc == _crc(seq, self._slots[seq].tobytes()[CRC_BYTES:])
        there[there] = self._whole[seqs[there]]
        return there

    def read(self, field: str, seqs: NDArray[np.int64], views: NDArray[np.int64]) -> NDArray[np.float16]:
        """Copy one view (n,) of a field of records (n,) that are whole by `has`."""
        return np.asarray(self._slots[field][seqs, views])

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _map(self) -> None:
        room = os.fstat(self._fd).st_size // self._dtype.itemsize
        if room > len(self._slots):
            self._slots = np.ndarray((room,), self._dtype, mmap.mmap(self._fd, 0, prot=mmap.PROT_READ))
            self._whole = np.concatenate([self._whole, np.zeros(room - len(self._whole), np.bool_)])


def _crc(seq: int, data: bytes | memoryview) -> int:
    """Return the checksum of a slot in its place; never 0, which is the value of a hole."""
    return zlib.crc32(data, seq) or 1

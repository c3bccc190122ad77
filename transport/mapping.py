"""A read-only memory mapping that keeps no file descriptor.

`mmap.mmap` duplicates the descriptor (up to Python 3.12 always), so each mapped segment of a log would keep a file
open. The mapping ends with the last array over it.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["map_file"]

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.mmap.restype = ctypes.c_void_p
_LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_LIBC.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
FAILED = ctypes.c_void_p(-1).value


class _Mapping:
    """Owner of one mapping; numpy keeps it alive as the base of every array over it."""

    def __init__(self, fd: int, size: int) -> None:
        self._address, self._size = 0, size
        address = _LIBC.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0)
        if address is None or address == FAILED:
            number = ctypes.get_errno()
            raise OSError(number, f"cannot map a file of {size} bytes: {os.strerror(number)}")
        self._address = address
        self.__array_interface__: dict[str, Any] = {
            "version": 3,
            "shape": (size,),
            "typestr": "|u1",
            "data": (address, True),  # read-only
        }

    def __del__(self) -> None:
        if self._address:
            _LIBC.munmap(self._address, self._size)


def map_file(fd: int) -> NDArray[np.uint8]:
    """Return the bytes of an open file as a read-only array (size,). The descriptor may be closed afterwards.

    Raises:
        OSError: The file is empty, or the machine has no room for the mapping.
    """
    return np.asarray(_Mapping(fd, os.fstat(fd).st_size))

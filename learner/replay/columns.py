"""Arrays that grow: the light columns that replay keeps in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

__all__ = ["Column"]

FIRST_ROOM = 1024


class Column:
    """A one-dimensional array that grows at its end; appending costs amortised constant time an element."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._room: NDArray[Any] = np.empty(FIRST_ROOM, dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def values(self) -> NDArray[Any]:
        """A view (n,) of what is there; the next `extend` may leave it behind."""
        return self._room[: self._count]

    def extend(self, values: ArrayLike) -> None:
        """Append values (k,)."""
        added = np.asarray(values, self._room.dtype)
        end = self._count + len(added)
        if end > len(self._room):
            room = np.empty(max(end, 2 * len(self._room)), self._room.dtype)
            room[: self._count] = self.values
            self._room = room
        self._room[self._count : end] = added
        self._count = end

"""The contract of one field of a foreign observation, and its errors."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

__all__ = ["FieldReader", "ObservationError", "SpaceError", "check_shape", "kind_of"]


class SpaceError(ValueError):
    """A space that cannot be recorded; the message names the field."""


class ObservationError(ValueError):
    """An observation that is not of its space; the message names the field."""


class FieldReader(Protocol):
    """Turns one part of a foreign observation into one recorded field."""

    space: spaces.Space[Any]  # Box of what `read` returns
    scale: tuple[float, ...]  # typical size of each entry of a vector; () = not known

    def read(self, value: Any) -> NDArray[Any]:
        """A fresh array in `space`'s shape and dtype.

        Raises:
            ObservationError: The value is not of the foreign space.
        """

    def strays(self, read: NDArray[Any]) -> bool:
        """Whether a read value is outside the bounds that the foreign space gives."""


def check_shape(array: NDArray[Any], shape: tuple[int, ...]) -> None:
    """Refuse another shape; sides of 1 more or less change nothing."""
    if [side for side in array.shape if side != 1] != [side for side in shape if side != 1]:
        raise ObservationError(f"expected shape {shape} as its space says, found {array.shape}")


def kind_of(value: Any) -> str:
    """A value's type in words, and its shape where it is an array."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} {value.dtype}"
    return f"a {type(value).__name__}"

"""The contract of one field of a foreign observation, and its errors."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

__all__ = ["FieldReader", "ObservationError", "SpaceError", "check_shape", "kind_of"]


class SpaceError(ValueError):
    """Error of a space that the log does not support; the message names the field."""


class ObservationError(ValueError):
    """Error of an observation that does not match its space; the message names the field."""


class FieldReader(Protocol):
    """Converter from one part of a foreign observation to one recorded field."""

    space: spaces.Space[Any]  # Box of the values that `read` returns
    scale: tuple[float, ...]  # typical magnitude of each entry of a vector; () = unknown

    def read(self, value: Any) -> NDArray[Any]:
        """Return a new array in `space`'s shape and dtype.

        Raises:
            ObservationError: The value does not match the foreign space.
        """

    def strays(self, read: NDArray[Any]) -> bool:
        """Return whether a value from `read` is outside the bounds of the foreign space."""


def check_shape(array: NDArray[Any], shape: tuple[int, ...]) -> None:
    """Raise ObservationError for another shape; axes of length 1 are ignored."""
    if [side for side in array.shape if side != 1] != [side for side in shape if side != 1]:
        raise ObservationError(f"expected shape {shape} as its space says, found {array.shape}")


def kind_of(value: Any) -> str:
    """Return a value's type in words, with its shape if it is an array."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} {value.dtype}"
    return f"a {type(value).__name__}"

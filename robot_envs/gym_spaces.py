"""A foreign observation space as flat, named fields: float32 vectors and uint8 RGB pictures.

A nested Dict or Tuple joins its names with ``/``. Numbers are flattened into vectors, discrete values become one-hot
vectors, pictures become (height, width, 3) uint8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from steadyhand.robot_envs.gym_fields import FieldReader, ObservationError, SpaceError, check_shape, kind_of
from steadyhand.robot_envs.gym_pictures import Picture, picture_layout
from steadyhand.runtime.logging import escaped

__all__ = ["FAR", "ObservedField", "observed_fields"]

FAR = float(np.finfo(np.float32).max)
MAX_ONE_HOT = 4096  # largest number of entries of a one-hot vector
MAX_SCALED = 8192  # largest number of entries of a vector with scales in the schema


@dataclass(frozen=True)
class ObservedField:
    """One recorded field.

    Attributes:
        name: The keys that lead to the field, joined with ``/``.
        path: The keys of Dicts and the indices of Tuples that lead to the field.
        reader: Converter of the field.
    """

    name: str
    path: tuple[str | int, ...]
    reader: FieldReader

    def read(self, observation: Any) -> NDArray[Any]:
        """Return this field of a whole observation.

        Raises:
            ObservationError: The field is missing, or does not match its space.
        """
        value = observation
        for key in self.path:
            value = self._part(value, key)
        try:
            return self.reader.read(value)
        except ObservationError as error:
            raise ObservationError(f"{self.name}: {error}") from None
        except Exception as error:  # values that are no arrays: ragged lists, tensors on a GPU
            found = f"{kind_of(value)} ({escaped(' '.join(str(error).split()))})"
            raise ObservationError(f"{self.name}: expected numbers on the CPU, found {found}") from error

    def _part(self, value: Any, key: str | int) -> Any:
        if isinstance(key, int):
            if isinstance(value, (tuple, list)) and key < len(value):
                return value[key]
            raise ObservationError(f"{self.name}: expected a tuple with entry {key}, found {kind_of(value)}")
        if isinstance(value, Mapping) and key in value:
            return value[key]
        found = f"the keys {', '.join(map(str, value))}" if isinstance(value, Mapping) else kind_of(value)
        raise ObservationError(f"{self.name}: expected a dict with the key {key!r}, found {found}")


def observed_fields(space: spaces.Space[Any], root: str = "state") -> tuple[ObservedField, ...]:
    """Return the fields of an observation space; one that is not a Dict is called `root`.

    Raises:
        SpaceError: A part of the space is not supported by the log.
    """
    names = () if isinstance(space, spaces.Dict) else (root,)
    fields = tuple(_walk(space, names, ()))
    if not fields:
        raise SpaceError(f"expected something to observe, found {space}")
    seen = [field.name for field in fields]
    if twice := next((name for name in seen if seen.count(name) > 1), None):
        raise SpaceError(f"{twice}: expected one field of that name, found two; rename one of the keys")
    return fields


def _walk(space: spaces.Space[Any], names: tuple[str, ...], path: tuple[str | int, ...]) -> Iterator[ObservedField]:
    if isinstance(space, spaces.Dict):
        for key, part in space.spaces.items():
            yield from _walk(part, (*names, str(key)), (*path, key))
    elif isinstance(space, spaces.Tuple):
        for index, part in enumerate(space.spaces):
            yield from _walk(part, (*names, str(index)), (*path, index))
    else:
        name = "/".join(names)
        try:
            yield ObservedField(name, path, _reader(space))
        except SpaceError as error:
            raise SpaceError(f"{name}: {error}") from None


def _reader(space: spaces.Space[Any]) -> FieldReader:
    if isinstance(space, spaces.Box):
        layout = picture_layout(space)
        return Vector(space) if layout is None else Picture(space, *layout)
    if isinstance(space, spaces.MultiBinary):
        return Vector(spaces.Box(0, 1, space.shape or (1,), np.float32))
    if isinstance(space, spaces.Discrete):
        return OneHot((int(space.n),), (int(space.start),))
    if isinstance(space, spaces.MultiDiscrete):
        starts = np.broadcast_to(getattr(space, "start", 0), space.nvec.shape)
        return OneHot(tuple(map(int, space.nvec.ravel())), tuple(map(int, starts.ravel())))
    raise SpaceError(
        f"expected Box, Dict, Tuple, Discrete, MultiDiscrete or MultiBinary, found {type(space).__name__}; "
        "leave it out of the observation, or encode it as numbers"
    )


class Vector:
    """Converter from numbers of any shape and type to a float32 vector."""

    def __init__(self, box: spaces.Box) -> None:
        if not np.prod(box.shape, dtype=np.int64):
            raise SpaceError(f"expected at least one number, found shape {box.shape}; leave it out of the observation")
        self._shape = box.shape
        low, high = (bound.astype(np.float64).ravel() for bound in (box.low, box.high))
        # Infinite bounds have no JSON form, and the schema needs numbers.
        self.space: spaces.Space[Any] = spaces.Box(
            np.clip(low, -FAR, FAR).astype(np.float32), np.clip(high, -FAR, FAR).astype(np.float32), dtype=np.float32
        )
        self.scale = _scale(low, high)
        slack = 1e-3 * np.maximum(np.abs(low), np.abs(high)) + 1e-6
        self._low, self._high = low - slack, high + slack

    def read(self, value: Any) -> NDArray[Any]:
        """Return the numbers, (n,) float32."""
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise ObservationError(f"expected numbers of shape {self._shape}, found {kind_of(value)}")
        check_shape(array, self._shape)
        with np.errstate(over="ignore"):  # a number too large for float32 becomes infinite, which the record rejects
            return array.astype(np.float32).ravel()

    def strays(self, read: NDArray[Any]) -> bool:
        """Return whether a finite entry exceeds its bounds by more than rounding."""
        return bool(((read < self._low) | (read > self._high))[np.isfinite(read)].any())


class OneHot:
    """Converter from discrete values to one-hot vectors."""

    def __init__(self, sizes: Sequence[int], starts: Sequence[int]) -> None:
        if not sizes or sum(sizes) > MAX_ONE_HOT:
            raise SpaceError(
                f"expected 1 to {MAX_ONE_HOT} discrete values in all, found {sum(sizes)}; encode it as numbers"
            )
        self._sizes, self._starts = np.asarray(sizes), np.asarray(starts)
        self._firsts = np.concatenate([[0], np.cumsum(self._sizes)[:-1]])
        total = int(self._sizes.sum())
        self._total = total
        self.space: spaces.Space[Any] = spaces.Box(0.0, 1.0, (total,), np.float32)
        self.scale = _scale(np.zeros(total), np.ones(total))

    def read(self, value: Any) -> NDArray[Any]:
        """Return the one-hot vectors, concatenated to (n,) float32."""
        array = np.asarray(value)
        if array.dtype.kind not in "biuf" or array.size != len(self._sizes):
            raise ObservationError(f"expected {len(self._sizes)} whole numbers, found {kind_of(value)}")
        places = array.ravel().astype(np.float64) - self._starts
        if not ((places >= 0) & (places < self._sizes) & (places == np.floor(places))).all():
            shown = np.array2string(array.ravel(), threshold=8)
            raise ObservationError(f"expected whole numbers within its space, found {shown}")
        vector = np.zeros(self._total, np.float32)
        vector[self._firsts + places.astype(np.int64)] = 1.0
        return vector

    def strays(self, read: NDArray[Any]) -> bool:
        """Return False: `read` rejects values outside the space."""
        return False


def _scale(low: NDArray[np.float64], high: NDArray[np.float64]) -> tuple[float, ...]:
    """Return half of the largest magnitude of each element; () if an element is not bounded."""
    largest = np.maximum(np.abs(low), np.abs(high))
    known = len(largest) <= MAX_SCALED and bool(((largest > 0.0) & (largest < FAR)).all())
    return tuple((largest / 2.0).tolist()) if known else ()

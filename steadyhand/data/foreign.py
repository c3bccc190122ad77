"""Another package's data set as this package reads it: named columns, episode by episode."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.data.gripper_presses import GripperMeaning
from steadyhand.runtime.logging import quoted

__all__ = [
    "ForeignDataError",
    "ForeignEpisode",
    "ForeignField",
    "ForeignSet",
    "check_bytes",
    "naming",
    "own_period_s",
]

MOST_BYTES = 4 << 30  # of one column of one episode, or of one table


class ForeignDataError(ValueError):
    """A foreign data set that is damaged or hostile, or does not fit."""


@contextmanager
def naming(folder: Path) -> Iterator[None]:
    """Put the data set's folder before an error that names no file of it.

    Raises:
        ForeignDataError: The error, with the folder.
    """
    try:
        yield
    except ForeignDataError as error:
        if str(folder) in str(error):
            raise
        raise ForeignDataError(f"{folder}: {error}") from None


@dataclass(frozen=True)
class ForeignField:
    """One column of a foreign set.

    Attributes:
        shape: Shape of one step's value.
        dtype: Name of its NumPy type; uint8 with three axes is a picture.
        names: Names of the elements of a vector; () where the set gives none.
    """

    shape: tuple[int, ...]
    dtype: str
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.shape))}) {self.dtype}"


@dataclass(frozen=True)
class ForeignEpisode:
    """One episode of T steps.

    Attributes:
        name: Its name in the set, for messages.
        observations: By key, (T + 1, ...); (T, ...) in a set that holds no observation after the last step.
        actions: By key, (T, ...).
        rewards: (T,); None where the set has none.
        terminated: Whether the last step ended the task; None where the set does not say so.
        success: The set's own mark; None where it has none.
    """

    name: str
    observations: Mapping[str, NDArray[Any]]
    actions: Mapping[str, NDArray[Any]]
    rewards: NDArray[Any] | None
    terminated: bool | None
    success: bool | None


class ForeignSet(ABC):
    """A foreign data set that is open for reading.

    Attributes:
        format: Name of its format.
        observations: The columns that are observations, by key.
        actions: The columns that may be actions, by key.
        default_action: Key of the action where the caller names none.
        period_s: Duration of a step [s]; None where the set does not say so.
        gripper: Meaning of a gripper entry in the format: a press of a button, or the wanted state.
        own: Manifest of the demo set that this package exported to it; None for all other sets.
    """

    format: str
    observations: Mapping[str, ForeignField]
    actions: Mapping[str, ForeignField]
    default_action: str
    period_s: float | None = None
    gripper: GripperMeaning = "state"
    own: Mapping[str, Any] | None = None

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of episodes."""

    @abstractmethod
    def episodes(self, wanted: Sequence[str], chosen: Sequence[int]) -> Iterator[ForeignEpisode]:
        """Read episodes one by one.

        Args:
            wanted: Keys of the observations to read; the others are not decoded.
            chosen: Numbers of the episodes, counted from 0, rising.

        Raises:
            ForeignDataError: The data are damaged, or larger than any episode may be.
        """

    def close(self) -> None:  # noqa: B027  most readers hold nothing open
        """Close the files."""


def check_bytes(what: str, shape: Sequence[int], dtype: Any) -> None:
    """Refuse an array that would not fit, before anything is allocated for it.

    Raises:
        ForeignDataError: It is larger than `MOST_BYTES`.
    """
    size = int(np.dtype(dtype).itemsize)
    for length in shape:
        size *= int(length)
    if size > MOST_BYTES:
        raise ForeignDataError(
            f"{quoted(what)}: expected at most {MOST_BYTES >> 30} GiB, found an array of shape {tuple(shape)}; "
            "the file is damaged or hostile"
        )


def own_period_s(own: Mapping[str, Any] | None) -> float | None:
    """Return the control period that an export of this package has kept [s]; None where there is none."""
    schema = own.get("schema") if own is not None else None
    period_s = schema.get("control_period_s") if isinstance(schema, dict) else None
    return float(period_s) if isinstance(period_s, (int, float)) and period_s > 0.0 else None

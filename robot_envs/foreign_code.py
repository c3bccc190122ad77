"""Calls of a user's own environment or expert; their exceptions become one-line errors."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.component import DEBUG, described
from steadyhand.runtime.logging import escaped

__all__ = ["ForeignCodeError", "as_array", "call_entry_point", "one_line"]


class ForeignCodeError(RuntimeError):
    """Error of the user's own environment or expert: it raised, or returned an invalid value."""


def call_entry_point(entry: Callable[..., Any], arguments: Mapping[str, Any], where: str, what: str) -> Any:
    """Call the function or class of an entry point.

    Args:
        entry: A function or a class.
        arguments: Keyword arguments of the user's configuration.
        where: The setting that named it, such as task.entry_point.
        what: The setting that holds the arguments.

    Raises:
        ConfigError: The entry does not accept these arguments, or it raised.
    """
    try:
        signature = inspect.signature(entry)
    except (TypeError, ValueError):  # some classes of compiled modules have no signature
        signature = None
    if signature is not None:
        try:
            signature.bind(**arguments)
        except TypeError as error:
            raise ConfigError(f"{what}: expected those of {escaped(str(signature))}, found {error}") from error
    try:
        return entry(**arguments)
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{where}: {described(error)}; {DEBUG}") from error


@contextmanager
def one_line(what: str) -> Iterator[None]:
    """Convert an exception of foreign code in the block into a `ForeignCodeError` that begins with `what`."""
    try:
        yield
    except ForeignCodeError:
        raise
    except Exception as error:
        raise ForeignCodeError(f"{what} raised {described(error)}; {DEBUG}") from error


def as_array(value: Any, what: str) -> NDArray[Any]:
    """Return a foreign value as an array.

    Raises:
        ForeignCodeError: The value is no array, such as a ragged list or a tensor on a GPU.
    """
    try:
        return np.asarray(value)
    except Exception as error:
        raise ForeignCodeError(
            f"{what}: expected numbers on the CPU, found a {type(value).__name__} ({described(error)})"
        ) from error

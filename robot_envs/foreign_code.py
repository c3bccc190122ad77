"""Code that a configuration names: found by its entry point, called, and its exceptions told in one line."""

from __future__ import annotations

import importlib
import inspect
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.runtime.config import ConfigError
from steadyhand.runtime.logging import escaped, quoted

__all__ = [
    "ENTRY_POINT",
    "ForeignCodeError",
    "as_array",
    "call_entry_point",
    "load_entry_point",
    "one_line",
    "present_name",
]

ENTRY_POINT = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
MAX_TEXT = 240  # characters of an exception's message
# Recorded by releases whose packages had import names of their own.
FORMER = ("robot_envs.tasks.", "robot_envs.experts.")
DEBUG = "STEADYHAND_DEBUG=1 shows the traceback"


class ForeignCodeError(RuntimeError):
    """The user's own environment or expert raised, or returned something that cannot be used."""


def present_name(entry_point: str) -> str:
    """Return today's name of an entry point that an earlier release has written down."""
    return f"steadyhand.{entry_point}" if entry_point.startswith(FORMER) else entry_point


def load_entry_point(text: str, where: str) -> Callable[..., Any]:
    """Import ``package.module:name``. That runs the module's code: the text must be the user's own.

    Raises:
        ConfigError: The text is not of that form, the module cannot be imported, or it has nothing callable of that
            name.
    """
    if ENTRY_POINT.fullmatch(text) is None:
        raise ConfigError(f"{where}: expected package.module:name, found {quoted(text)}")
    module_name, _, name = present_name(text).partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigError(
            f"{where}: cannot import {module_name!r} ({escaped(str(error))}); is it installed and on PYTHONPATH?"
        ) from error
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{where}: importing {module_name!r} failed: {described(error)}; {DEBUG}") from error
    entry = getattr(module, name, None)
    if entry is None:
        raise ConfigError(f"{where}: module {module_name!r} has no {name!r}")
    if not callable(entry):
        raise ConfigError(f"{where}: expected a function or a class, found {name!r}, a {type(entry).__name__}")
    found: Callable[..., Any] = entry
    return found


def call_entry_point(entry: Callable[..., Any], arguments: Mapping[str, Any], where: str, what: str) -> Any:
    """Call what an entry point names.

    Args:
        entry: A function or a class.
        arguments: Keyword arguments of the user's configuration.
        where: The setting that named it, such as task.entry_point.
        what: The setting that holds the arguments.

    Raises:
        ConfigError: It does not take these arguments, or it raised.
    """
    try:
        signature = inspect.signature(entry)
    except (TypeError, ValueError):  # some classes of compiled modules have none
        signature = None
    if signature is not None:
        try:
            signature.bind(**arguments)
        except TypeError as error:
            raise ConfigError(f"{what}: expected those of {_text(signature)}, found {error}") from error
    try:
        return entry(**arguments)
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{where}: {described(error)}; {DEBUG}") from error


@contextmanager
def one_line(what: str) -> Iterator[None]:
    """Turn an exception of foreign code within into a `ForeignCodeError` that begins with `what`."""
    try:
        yield
    except ForeignCodeError:
        raise
    except Exception as error:
        raise ForeignCodeError(f"{what} raised {described(error)}; {DEBUG}") from error


def as_array(value: Any, what: str) -> NDArray[Any]:
    """Return a foreign value as an array.

    Raises:
        ForeignCodeError: It is none, such as a ragged list or a tensor on a GPU.
    """
    try:
        return np.asarray(value)
    except Exception as error:
        raise ForeignCodeError(
            f"{what}: expected numbers on the CPU, found a {type(value).__name__} ({described(error)})"
        ) from error


def described(error: BaseException) -> str:
    """An exception in one line: its type, its message, and the innermost file and line that it came from."""
    message = escaped(" ".join(str(error).split()), MAX_TEXT)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}{': ' if message else ''}{message}{place}"


def _text(signature: inspect.Signature) -> str:
    return escaped(str(signature), MAX_TEXT)

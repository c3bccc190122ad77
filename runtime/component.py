"""Components: classes and functions that a configuration names by their entry point, `package.module:name`."""

from __future__ import annotations

import importlib
import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.logging import escaped, quoted

__all__ = ["DEBUG", "ENTRY_POINT", "Component", "described", "find_component", "load_entry_point", "present_name"]

T = TypeVar("T")
KEY = "entry_point"
ENTRY_POINT = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
MAX_TEXT = 240  # characters of an exception's message
# Recorded by releases whose packages had import names of their own.
FORMER = ("robot_envs.tasks.", "robot_envs.experts.")
DEBUG = "STEADYHAND_DEBUG=1 shows the traceback"


@dataclass(frozen=True)
class Component(Generic[T]):
    """A class of a contract, and its settings.

    Attributes:
        type: The class.
        settings: An instance of the class's `settings_type`; None when the class has no settings.
    """

    type: type[T]
    settings: Any

    def make(self, *arguments: Any, **named: Any) -> T:
        """Construct the component. Its settings, if it has any, are the first argument."""
        first = () if self.settings is None else (self.settings,)
        return self.type(*first, *arguments, **named)


def find_component(values: Mapping[str, Any], contract: type[T], where: str) -> Component[T]:
    """Find the class that a configuration group names, and build its settings from the other keys of the group.

    Args:
        values: The group: `entry_point`, and the fields of the class's `settings_type`.
        contract: The base class that the class must have.
        where: Name of the group; used in errors.

    Raises:
        ConfigError: The group names no such class, or a setting is wrong.
    """
    if not isinstance(values.get(KEY), str):
        raise ConfigError(f"{where}.{KEY}: expected package.module:Class, found {values.get(KEY)!r}")
    cls: Any = load_entry_point(values[KEY], f"{where}.{KEY}")
    if not (isinstance(cls, type) and issubclass(cls, contract)):
        raise ConfigError(
            f"{where}.{KEY}: expected a class derived from {contract.__name__}, found {quoted(values[KEY])}"
        )
    settings_type = getattr(cls, "settings_type", None)
    rest = {name: value for name, value in values.items() if name != KEY}
    if settings_type is None:
        if rest:
            raise ConfigError(f"{where}: expected no settings, as {cls.__name__} has none, found {', '.join(rest)}")
        return Component(cls, None)
    return Component(cls, build(settings_type, rest, where))


def present_name(entry_point: str) -> str:
    """Return today's name of an entry point that an earlier release has written down."""
    return f"steadyhand.{entry_point}" if entry_point.startswith(FORMER) else entry_point


def load_entry_point(text: str, where: str) -> Callable[..., Any]:
    """Import ``package.module:name``. This runs the module's code, so the text must come from the user.

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


def described(error: BaseException) -> str:
    """Return an exception in one line: its type, its message, and the innermost file and line that it came from."""
    message = escaped(" ".join(str(error).split()), MAX_TEXT)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}{': ' if message else ''}{message}{place}"

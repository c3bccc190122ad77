"""Strict conversion of plain values into frozen dataclasses; every mistake is one `ConfigError` line."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from steadyhand.runtime.logging import quoted

__all__ = ["ConfigError", "build", "check_finite", "leaves", "one_line", "value_text"]

T = TypeVar("T")


class ConfigError(ValueError):
    """A configuration that cannot be used. The message is one line: where, what was expected, what was found."""


def build(cls: type[T], values: Mapping[str, Any], path: str = "") -> T:
    """Make the frozen dataclass `cls` from plain `values`, strictly.

    Fields may be bool, int, float, str, None, Literal, unions of these, nested dataclasses, `tuple[...]`,
    `dict[K, V]` and Any. A float may be written as an int; nothing else is converted. NaN and infinity are refused:
    they would slip through a limit's comparison. A `ValueError` of `__post_init__` is raised again with the path.

    Args:
        cls: The dataclass.
        values: Its fields by name; a field with a default may be left out.
        path: Place of the values in the configuration, such as `learner.replay`; used in errors.

    Raises:
        ConfigError: An unknown, missing or wrong value, with its path.
    """
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        raise TypeError(f"build: expected a dataclass, found {cls!r}")
    where = path or cls.__name__
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where}: expected a mapping with {cls.__name__}'s keys, found {value_text(values)}")
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    unknown = [quoted(key) for key in values if key not in fields]
    if unknown:
        raise ConfigError(f"{where}: unknown {_keys(unknown)}; valid keys: {', '.join(fields) or '(none)'}")
    missing = [name for name, field in fields.items() if name not in values and _is_required(field)]
    if missing:
        raise ConfigError(f"{where}: missing {_keys(missing)}; {cls.__name__} has no default for it")
    hints = get_type_hints(cls)
    prefix = f"{path}." if path else ""
    arguments = {name: _convert(hints[name], value, prefix + name) for name, value in values.items()}
    try:
        return cls(**arguments)
    except ValueError as error:
        raise ConfigError(f"{where}: {one_line(error)}") from error


def check_finite(values: Any) -> None:
    """Refuse NaN and infinity: they slip through comparisons with limits, and the JSON of a manifest cannot hold them.

    Raises:
        ConfigError: A value is NaN or infinite; the line has its path.
    """
    for key, value in leaves(values, ""):
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{key}: expected a finite number, found {value}")


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield every value that is no container, with its path."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, value


def _convert(expected: Any, value: Any, path: str) -> Any:
    """Return `value` as the annotation `expected` says, or raise ConfigError."""
    origin, args = get_origin(expected), get_args(expected)
    if expected is Any:
        return value
    if origin in (Union, types.UnionType):
        return _convert_union(args, value, path)
    if origin is Literal:
        if any(value == choice and type(value) is type(choice) for choice in args):
            return value
    elif expected is float:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and _is_finite(value):
            return float(value)
    elif expected in (bool, int, str, types.NoneType, None):
        if type(value) is expected or (value is None and expected is None):
            return value
    elif expected is tuple or origin is tuple:
        return _convert_tuple(args or (Any, ...), value, path)
    elif expected is dict or origin in (dict, Mapping):
        return _convert_dict(args or (Any, Any), value, path)
    elif isinstance(expected, type) and dataclasses.is_dataclass(expected):
        return build(expected, value, path)
    else:
        raise TypeError(f"{path}: a configuration field cannot be of type {_type_text(expected)}")
    raise _wrong(expected, value, path)


def _convert_union(args: tuple[Any, ...], value: Any, path: str) -> Any:
    members = [member for member in args if member is not types.NoneType]
    if value is None and len(members) < len(args):
        return None
    if len(members) == 1:
        return _convert(members[0], value, path)
    for member in sorted(members, key=lambda member: member is not type(value)):
        try:
            return _convert(member, value, path)
        except ConfigError:
            continue
    raise ConfigError(f"{path}: expected {' or '.join(map(_type_text, args))}, found {value_text(value)}")


def _convert_tuple(args: tuple[Any, ...], value: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise ConfigError(f"{path}: expected a list, found {value_text(value)}")
    if len(args) == 2 and args[1] is Ellipsis:
        args = (args[0],) * len(value)
    if len(args) != len(value):
        raise ConfigError(f"{path}: expected a list of {len(args)}, found {len(value)}: {value_text(value)}")
    return tuple(_convert(args[index], item, f"{path}[{index}]") for index, item in enumerate(value))


def _convert_dict(args: tuple[Any, ...], value: Any, path: str) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{path}: expected a mapping, found {value_text(value)}")
    return {
        _convert(args[0], key, f"{path} key {quoted(key)}"): _convert(args[1], item, f"{path}.{key}")
        for key, item in value.items()
    }


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int too large for a float
        return False


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _wrong(expected: Any, value: Any, path: str) -> ConfigError:
    return ConfigError(f"{path}: expected {_type_text(expected)}, found {value_text(value)}")


def _type_text(expected: Any) -> str:
    if get_origin(expected) is Literal:
        return f"one of {', '.join(map(str, get_args(expected)))}"
    if expected is float:
        return "a finite number"
    if expected in (None, types.NoneType):
        return "null"
    return expected.__name__ if isinstance(expected, type) and not get_args(expected) else str(expected)


def value_text(value: Any) -> str:
    """Return a value and its type as text for an error."""
    return "null" if value is None else f"{quoted(value)} ({type(value).__name__})"


def _keys(names: Sequence[str]) -> str:
    return f"key{'s' if len(names) > 1 else ''} {', '.join(names)}"


def one_line(error: Exception) -> str:
    """Return the message of an error on one line."""
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip())

"""Configuration: Hydra YAML becomes frozen dataclasses, and every mistake becomes one `ConfigError` line."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from hydra import compose as hydra_compose
from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, MissingConfigException
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from steadyhand.runtime.logging import quoted

__all__ = ["CONFIG_VARIABLE", "ConfigError", "build", "check_finite", "compose", "search_path", "use_config_dir"]

T = TypeVar("T")
CONFIG_VARIABLE = "STEADYHAND_CONFIG"  # the user's own configuration folder, in addition to the product's
CALL = "_target_"  # what Hydra would import and call
DEVICE_HINT = "`device` is the human-input group; the compute device is chosen with learner.device=cuda"


class ConfigError(ValueError):
    """A configuration that cannot be used. The message is one line: where, what was expected, what was found."""


def use_config_dir(folder: str | Path, source: str = CONFIG_VARIABLE) -> Path:
    """Add the user's own folder to every `compose` of this process and of its child processes.

    Args:
        folder: The user's folder, laid out as `configs/`: `robot/my_arm.yaml`, `safety/my_cell.yaml`.
        source: Name of the option or the variable that gave it; used in errors.

    Raises:
        ConfigError: There is no such folder.
    """
    path = Path(folder).expanduser().absolute()
    if not path.is_dir():
        found = "a file" if path.exists() else "nothing there"
        raise ConfigError(f"{source}: expected a folder with robot/, safety/, task/ and so on, found {found}: {path}")
    os.environ[CONFIG_VARIABLE] = str(path)
    return path


def compose(
    overrides: Sequence[str], config_name: str = "steadyhand", *, config_module: str = "steadyhand.configs"
) -> dict[str, Any]:
    """Compose the YAML groups of `config_module` with `overrides` into resolved plain containers.

    The files of the user's own folder, which `use_config_dir` or $STEADYHAND_CONFIG names, are options too.

    Args:
        overrides: Command-line overrides: `robot=mock` chooses a group's option, `learner.gamma=0.98` sets a value.
        config_name: The root file, without `.yaml`.
        config_module: The import package that holds the YAML files.

    Raises:
        ConfigError: An unknown option or key (the line names the valid ones), a broken override, a missing value, NaN
            or infinity; the user's own folder is not there, or hides a file of the product.
    """
    given = os.environ.get(CONFIG_VARIABLE)
    own = use_config_dir(given) if given else None
    added = search_path(own, config_module) if own else []
    with initialize_config_module(config_module, version_base="1.3"):
        try:
            composed = hydra_compose(config_name, overrides=[*added, *overrides])
            _calibrate(composed, overrides, own)
            for key, value in _leaves(OmegaConf.to_container(composed, resolve=False), ""):
                # Before anything is resolved: otherwise the error would name a value derived from the missing one.
                if value == MISSING:
                    raise ConfigError(f"{key}: needs a value and has none; give one with {key}=...")
                if CALL in re.split(r"[.\[]", key):
                    raise ConfigError(f"{key}: nothing is called by {CALL} here; code is named by an entry_point alone")
            values = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
            check_finite(values)
        except MissingConfigException as error:
            raise ConfigError(_missing_option(error, own)) from None
        except ConfigError:
            raise
        except UnicodeDecodeError as error:
            raise ConfigError(
                f"{_not_text(own)}: expected UTF-8 text, found {error.reason}; restore the file"
            ) from None
        except (HydraException, OmegaConfBaseException, YAMLError, ValueError) as error:
            reason = _wrong_override(overrides, added, config_name) or _one_line(error)
            raise ConfigError(reason) from None
    if not isinstance(values, dict):
        raise ConfigError(f"{config_name}: expected a mapping of groups, found {_found(values)}")
    return {str(key): value for key, value in values.items()}


def _calibrate(composed: DictConfig, overrides: Sequence[str], own: Path | None) -> None:
    from steadyhand.runtime.calibrated import apply_calibrations  # it needs this module

    loader = GlobalHydra.instance().config_loader()
    keys = [_parse(override).key_or_group for override in overrides]
    # The choice of a group, such as task=reach, gives no value of its own.
    apply_calibrations(composed, [key for key in keys if not loader.get_group_options(key)], own)


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
        raise ConfigError(f"{where}: expected a mapping with {cls.__name__}'s keys, found {_found(values)}")
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
        raise ConfigError(f"{where}: {_one_line(error)}") from error


def check_finite(values: Any) -> None:
    """Refuse NaN and infinity: they slip through comparisons with limits, and the JSON of a manifest cannot hold them.

    Raises:
        ConfigError: A value is NaN or infinite; the line has its path.
    """
    for key, value in _leaves(values, ""):
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{key}: expected a finite number, found {value}")


def search_path(own: Path, config_module: str) -> list[str]:
    """Return the override that adds the user's own folder.

    Raises:
        ConfigError: A file has the name of one of the product's, so the choice between the two is ambiguous.
    """
    product = files(config_module)
    for path in sorted(own.glob("*/*.yaml")):
        if product.joinpath(path.parent.name, path.name).is_file():
            name = f"{path.parent.name}/{path.name}"
            raise ConfigError(f"{name}: {own} has a file of the same name as the product; give yours another name")
    escaped = str(own).replace("\\", "\\\\").replace("'", "\\'")
    return [f"hydra.searchpath=['file://{escaped}']"]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield every value that is no container, with its path."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
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
    raise ConfigError(f"{path}: expected {' or '.join(map(_type_text, args))}, found {_found(value)}")


def _convert_tuple(args: tuple[Any, ...], value: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise ConfigError(f"{path}: expected a list, found {_found(value)}")
    if len(args) == 2 and args[1] is Ellipsis:
        args = (args[0],) * len(value)
    if len(args) != len(value):
        raise ConfigError(f"{path}: expected a list of {len(args)}, found {len(value)}: {_found(value)}")
    return tuple(_convert(args[index], item, f"{path}[{index}]") for index, item in enumerate(value))


def _convert_dict(args: tuple[Any, ...], value: Any, path: str) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{path}: expected a mapping, found {_found(value)}")
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
    return ConfigError(f"{path}: expected {_type_text(expected)}, found {_found(value)}")


def _type_text(expected: Any) -> str:
    if get_origin(expected) is Literal:
        return f"one of {', '.join(map(str, get_args(expected)))}"
    if expected is float:
        return "a finite number"
    if expected in (None, types.NoneType):
        return "null"
    return expected.__name__ if isinstance(expected, type) and not get_args(expected) else str(expected)


def _found(value: Any) -> str:
    return "null" if value is None else f"{quoted(value)} ({type(value).__name__})"


def _keys(names: Sequence[str]) -> str:
    return f"key{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _one_line(error: Exception) -> str:
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip())


def _not_text(own: Path | None) -> str:
    """Return the first file of the user's own folder that is not UTF-8."""
    for path in sorted(own.rglob("*.yaml")) if own else []:
        try:
            path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return str(path)
    return "configuration"


def _missing_option(error: MissingConfigException, own: Path | None) -> str:
    """Return the options of a group, after Hydra found no file for the requested one."""
    group, _, option = (error.missing_cfg_file or "").rpartition("/")
    if not group or not error.options:
        return f"{error.missing_cfg_file or _one_line(error)}: no such file in the configuration"
    line = f"{group}={option}: no such option; {group} is one of {', '.join(error.options)}"
    if group == "device":
        return f"{line} ({DEVICE_HINT})"
    hint = f"{own} was searched too" if own else f"files of your own: --config-dir DIR, or {CONFIG_VARIABLE}"
    return f"{line} ({hint})"


def _wrong_override(overrides: Sequence[str], added: Sequence[str], config_name: str) -> str:
    """Return a line about the first override that cannot be read or whose key does not exist, or "" without one."""
    loader = GlobalHydra.instance().config_loader()
    try:
        parsed = [_parse(override) for override in overrides]
        choices = [item.input_line or "" for item in parsed if loader.get_group_options(item.key_or_group)]
        base = hydra_compose(config_name, overrides=[*added, *choices])
    except ConfigError as error:
        return str(error)
    except (HydraException, OmegaConfBaseException, YAMLError, ValueError):
        return ""
    for item in parsed:
        if not item.is_add() and item.input_line not in choices and not _has_key(base, item.key_or_group):
            return _unknown_key(base, item.key_or_group)
    return ""


def _parse(override: str) -> Override:
    try:
        parsed = OverridesParser.create().parse_override(override)
    except HydraException as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{quoted(override)}: expected key=value, found a broken override ({reason})") from None
    if parsed.is_sweep_override():
        raise ConfigError(f"{quoted(override)}: expected one value, found several; a list is written key=[a,b]")
    return parsed


def _has_key(base: DictConfig, key: str) -> bool:
    parent, _, name = key.rpartition(".")
    try:
        node = OmegaConf.select(base, parent) if parent else base
    except OmegaConfBaseException:
        return False
    # A key whose value is still ??? exists: the override sets it.
    return isinstance(node, DictConfig) and name in node.keys()  # noqa: SIM118  `in node` is false for ???


def _unknown_key(base: DictConfig, key: str) -> str:
    """Name the keys of the deepest mapping on the way to `key`."""
    node, parent = base, ""
    for part in key.split("."):
        if part not in node or not isinstance(node[part], DictConfig):
            break
        node, parent = node[part], f"{parent}.{part}" if parent else part
    return f"{key}: unknown key; valid keys{f' in {parent}' if parent else ''}: {', '.join(map(str, node))}"

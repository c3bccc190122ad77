"""The one line that names what is wrong: the key, the option, how an override is written, or a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hydra import compose as hydra_compose
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from steadyhand.runtime.build import ConfigError, one_line
from steadyhand.runtime.logging import quoted

__all__ = ["broken_file", "missing_option", "parse_override", "wrong_override"]

DEVICE_HINT = "`device` is the human-input group; the compute device is chosen with learner.device=cuda"


def missing_option(error: MissingConfigException, own: Path | None, variable: str) -> str:
    """Return the options of a group, after Hydra found no file for the requested one."""
    group, _, option = (error.missing_cfg_file or "").rpartition("/")
    if not group or not error.options:
        return f"{error.missing_cfg_file or one_line(error)}: no such file in the configuration"
    line = f"{group}={option}: no such option; {group} is one of {', '.join(error.options)}"
    if group == "device":
        return f"{line} ({DEVICE_HINT})"
    hint = f"{own} was searched too" if own else f"files of your own: --config-dir DIR, or {variable}"
    return f"{line} ({hint})"


def wrong_override(overrides: Sequence[str], added: Sequence[str], config_name: str) -> str:
    """Return a line about the first override that cannot be read or whose key does not exist, or "" without one."""
    loader = GlobalHydra.instance().config_loader()
    try:
        parsed = [parse_override(override) for override in overrides]
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


def broken_file(own: Path | None) -> str:
    """Return the first file of the user's own folder that cannot be read; "configuration" where none is found."""
    for path in sorted(own.rglob("*.yaml")) if own else []:
        try:
            OmegaConf.load(path)
        except (OSError, ValueError, YAMLError, OmegaConfBaseException):
            return str(path)
    return "configuration"


def parse_override(override: str) -> Override:
    """Return an override as Hydra reads it.

    Raises:
        ConfigError: It is broken, or it has several values.
    """
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

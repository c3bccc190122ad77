"""Composition of the YAML groups with overrides; every mistake is one `ConfigError` line."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from steadyhand.runtime.build import ConfigError, check_finite, leaves, one_line, value_text
from steadyhand.runtime.override_errors import broken_file, missing_option, parse_override, wrong_override

__all__ = ["CONFIG_VARIABLE", "compose", "search_path", "use_config_dir"]

CONFIG_VARIABLE = "STEADYHAND_CONFIG"  # the user's own configuration folder, in addition to the product's
CALL = "_target_"  # what Hydra would import and call


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
            for key, value in leaves(OmegaConf.to_container(composed, resolve=False), ""):
                # Before anything is resolved: otherwise the error would name a value derived from the missing one.
                if value == MISSING:
                    raise ConfigError(f"{key}: needs a value and has none; give one with {key}=...")
                if CALL in re.split(r"[.\[]", key):
                    raise ConfigError(f"{key}: nothing is called by {CALL} here; code is named by an entry_point alone")
            values = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
            check_finite(values)
        except MissingConfigException as error:
            raise ConfigError(missing_option(error, own, CONFIG_VARIABLE)) from None
        except ConfigError:
            raise
        except UnicodeDecodeError as error:
            raise ConfigError(
                f"{broken_file(own)}: expected UTF-8 text, found {error.reason}; restore the file"
            ) from None
        except (HydraException, OmegaConfBaseException, YAMLError, ValueError) as error:
            reason = wrong_override(overrides, added, config_name) or one_line(error)
            # OmegaConf says nothing about a key that is no name, such as null.
            reason = reason or f"{broken_file(own)}: expected names as keys, found another one; correct the file"
            raise ConfigError(reason) from None
    if not isinstance(values, dict):
        raise ConfigError(f"{config_name}: expected a mapping of groups, found {value_text(values)}")
    return {str(key): value for key, value in values.items()}


def _calibrate(composed: DictConfig, overrides: Sequence[str], own: Path | None) -> None:
    from steadyhand.runtime.calibrated import apply_calibrations  # it needs this module

    loader = GlobalHydra.instance().config_loader()
    keys = [parse_override(override).key_or_group for override in overrides]
    # The choice of a group, such as task=reach, gives no value of its own.
    apply_calibrations(composed, [key for key in keys if not loader.get_group_options(key)], own)


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

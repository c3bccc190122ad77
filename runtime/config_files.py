"""The files of a composed configuration, one for each group."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from hydra import compose as hydra_compose
from hydra import initialize_config_module

from steadyhand.runtime.config import CONFIG_VARIABLE, search_path, use_config_dir

__all__ = ["group_files"]

HYDRA = "hydra/"  # groups of Hydra's own


def group_files(
    overrides: Sequence[str], config_name: str = "steadyhand", *, config_module: str = "steadyhand.configs"
) -> dict[str, Path]:
    """Return the file of each group by its name; a group within another one is called `algo@demo.bc`.

    Args:
        overrides: The overrides that `compose` was called with.
        config_name: Root file, as in `compose`.
        config_module: Import package, as in `compose`.

    Raises:
        ConfigError: The user's own folder is not there, or hides a file of the product.
    """
    given = os.environ.get(CONFIG_VARIABLE)
    own = use_config_dir(given) if given else None
    added = search_path(own, config_module) if own else []
    with initialize_config_module(config_module, version_base="1.3"):
        composed = hydra_compose(config_name, overrides=[*added, *overrides], return_hydra_config=True)
    product, found = Path(str(files(config_module))), {}
    for name, option in composed.hydra.runtime.choices.items():
        if option is not None and not name.startswith(HYDRA):
            path = product / name.partition("@")[0] / f"{option}.yaml"
            # No file of the user has the name of a file of the product.
            found[str(name)] = path if path.is_file() or own is None else own / path.relative_to(product)
    return found

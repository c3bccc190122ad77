"""Print the settings that the overrides choose, as YAML, with the file that each group comes from.

Every value is first built into its type, so the other verbs would run with exactly the printed settings.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from steadyhand.runtime.config_files import group_files
from steadyhand.terminal import say
from steadyhand.training_settings import compose_training_settings

EPILOG = (
    "A comment above a group names its file; an override and an experiment may have changed values of it.\n"
    "example: steadyhand show robot=crisp_fr3 learner.utd_ratio=2"
)
WIDTH = 110  # characters of a line


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add no options: the verb has none of its own."""


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Print the settings."""
    settings = compose_training_settings(overrides)
    say(settings_text(settings.composed, group_files(overrides), overrides))
    return 0


def settings_text(config: Mapping[str, Any], paths: Mapping[str, Path], overrides: Sequence[str]) -> str:
    """Return a composed configuration as YAML, the file of each group above it.

    Args:
        config: As `compose` returns it.
        paths: As `group_files` returns them.
        overrides: Named at the top, with the file of the experiment, if there is one.
    """
    lines = [f"# overrides: {' '.join(overrides) or 'none'}"]
    if "experiment" in paths:
        lines.append(f"# experiment: {paths['experiment']}")
    for name, values in config.items():
        within = [(key, path) for key, path in paths.items() if key == name or f"@{name}." in key]
        lines += ["", *(f"# {key}: {path}" for key, path in within)] if within else []
        lines.append(yaml.safe_dump({name: values}, sort_keys=False, width=WIDTH, allow_unicode=True).rstrip())
    return "\n".join(lines)

"""The checked configuration that overrides give, and the run folder that a caller names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from steadyhand.job import quoted
from steadyhand.settings import compose_settings

__all__ = ["compose", "run_overrides"]


def compose(*overrides: str) -> dict[str, Any]:
    """Compose the configuration of `overrides` and check every group.

    Args:
        overrides: As on the command line: `task=reach`, `learner.utd_ratio=2`.

    Raises:
        ConfigError: An override is unknown, or a value is out of its range; the line names it.
    """
    return dict(compose_settings(overrides).composed)


def run_overrides(run: str | Path | None) -> list[str]:
    """Return the overrides that choose a run folder such as `runs/pegs`; none for a new folder with a new name."""
    if run is None:
        return []
    path = Path(run).expanduser().absolute()
    return [f"run_root={quoted(path.parent)}", f"run_name={path.name}"]

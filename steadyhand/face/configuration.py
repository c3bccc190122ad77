"""The checked configuration of some overrides, and the overrides of a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from steadyhand.job import quoted
from steadyhand.settings import compose_settings

__all__ = ["compose", "run_overrides"]


def compose(*overrides: str) -> dict[str, Any]:
    """Compose the configuration of `overrides` and check every group.

    Args:
        overrides: Overrides as on the command line: `task=reach`, `learner.utd_ratio=2`.

    Raises:
        ConfigError: An override is unknown, or a value is out of its range; the line names it.
    """
    return dict(compose_settings(overrides).composed)


def run_overrides(run: str | Path | None) -> list[str]:
    """Return the overrides that choose a run folder such as `runs/pegs`; an empty list for a new folder."""
    if run is None:
        return []
    path = Path(run).expanduser().absolute()
    return [f"run_root={quoted(path.parent)}", f"run_name={path.name}"]

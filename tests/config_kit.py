"""Composed configurations, each composed once in a process: reading the YAML files takes longer than most tests."""

import copy
from functools import cache
from typing import Any

from steadyhand.runtime.config import compose


def composed(*overrides: str) -> dict[str, Any]:
    """Return a copy of the shipped configuration with `overrides`, which the caller may change."""
    return copy.deepcopy(_composed(overrides))


@cache
def _composed(overrides: tuple[str, ...]) -> dict[str, Any]:
    return compose(overrides)

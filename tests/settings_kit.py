"""Settings for tests: a shipped group with the few values that a test needs otherwise.

A new field of a dataclass comes with its key in the YAML file, so no kit has to know it.
"""

from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose

T = TypeVar("T")


@cache
def composed(*overrides: str) -> dict[str, Any]:
    return compose(overrides)


def shipped(cls: type[T], group: str, *overrides: str, **changes: Any) -> T:
    """Return the group of the composed configuration as `cls`, with `changes`; an `entry_point` is left out."""
    values = {key: value for key, value in composed(*overrides)[group].items() if key != "entry_point"}
    return replace(build(cls, values, group), **changes)

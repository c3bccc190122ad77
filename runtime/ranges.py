"""Range checks of settings, for `__post_init__`: each raises a ValueError of one line that names the setting.

A setting that is None is not checked. Each entry of a tuple is checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["expect", "expect_above", "expect_at_least", "expect_length", "expect_within"]


def expect(condition: bool, name: str, expected: str, found: object) -> None:
    """Raise a ValueError of one line unless `condition` holds."""
    if not condition:
        raise ValueError(f"{name}: expected {expected}, found {found!r}")


def expect_above(settings: object, low: float, *names: str) -> None:
    """Check that these settings are above `low`. NaN fails the check."""
    for name, value in _numbers(settings, names):
        expect(value > low, name, f"a number above {low:g}", value)


def expect_at_least(settings: object, low: float, *names: str) -> None:
    """Check that these settings are `low` or more. NaN fails the check."""
    for name, value in _numbers(settings, names):
        expect(value >= low, name, f"at least {low:g}", value)


def expect_within(settings: object, low: float, high: float, *names: str) -> None:
    """Check that these settings are `low` or more and `high` or less. NaN fails the check."""
    for name, value in _numbers(settings, names):
        expect(low <= value <= high, name, f"a number within [{low:g}, {high:g}]", value)


def expect_length(settings: object, length: int, *names: str) -> None:
    """Check that these tuples have `length` entries."""
    for name in names:
        value = getattr(settings, name)
        expect(value is None or len(value) == length, name, f"a list of {length}", value)


def _numbers(settings: object, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Yield every number of the named settings with the name to show."""
    for name in names:
        value = getattr(settings, name)
        if isinstance(value, tuple):
            yield from ((f"{name}[{index}]", item) for index, item in enumerate(value))
        elif value is not None:
            yield name, value

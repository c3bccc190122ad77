"""Numbers of episodes as a person writes them: `3,7-9`."""

from __future__ import annotations

import re
from collections.abc import Collection

from steadyhand.runtime.logging import quoted
from steadyhand.transport.demo_set import DemoSetError

__all__ = ["chosen_numbers"]

PART = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
MOST_SHOWN = 20


def chosen_numbers(text: str, known: Collection[int], where: str) -> list[int]:
    """Return the numbers that a text such as `3,7-9` names, rising and each once.

    Args:
        text: Numbers and ranges, separated by commas; a range includes its end.
        known: The numbers that exist.
        where: Name of the argument, for the error.

    Raises:
        DemoSetError: It is no such text, or names a number that does not exist.
    """
    found: set[int] = set()
    have = set(known)
    for part in text.split(","):
        match = PART.fullmatch(part.strip())
        if match is None:
            raise DemoSetError(f"{where}: expected numbers such as 3,7-9, found {quoted(text)}")
        first, last = int(match[1]), int(match[2] or match[1])
        inside = {number for number in have if first <= number <= last}
        lacking = first if first not in have else last if last not in have else None
        if lacking is not None or not inside:
            shown = ", ".join(map(str, sorted(have)[:MOST_SHOWN]))
            raise DemoSetError(
                f"{where}: expected episodes of {shown or 'none'}, found {lacking if lacking is not None else part}"
            )
        found |= inside
    return sorted(found)

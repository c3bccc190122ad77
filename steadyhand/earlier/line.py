"""One line of the account of what fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["DIFFERS", "FITS", "REFUSED", "UNKNOWN", "Line", "Verdict", "joined"]

Verdict = Literal["fits", "differs", "not known", "refused"]
FITS: Final = "fits"
DIFFERS: Final = "differs"  # usable; the text says what to do
UNKNOWN: Final = "not known"
REFUSED: Final = "refused"  # nothing is taken
MOST_SHOWN = 3  # differences in one line


@dataclass(frozen=True)
class Line:
    """The comparison of one subject, such as the schema, between the earlier run and the new one."""

    subject: str
    verdict: Verdict
    text: str


def joined(texts: Sequence[str]) -> str:
    """Return the first differences as one text, and the number of the others."""
    more = f" and {len(texts) - MOST_SHOWN} more" if len(texts) > MOST_SHOWN else ""
    return "; ".join(texts[:MOST_SHOWN]) + more

"""One line of the doctor's output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

__all__ = ["Finding", "Level", "broken", "findings_text", "note", "ok"]


class Level(str, Enum):
    """The severity of a finding."""

    OK = "ok"
    NOTE = "note"  # could be better, or is missing and not needed by the chosen configuration
    BROKEN = "BROKEN"  # the chosen configuration needs it


@dataclass(frozen=True)
class Finding:
    """The result of one check: its name, its level, what was found, and how to fix it."""

    name: str
    level: Level
    found: str
    mend: str = ""


def ok(name: str, found: str) -> Finding:
    """Return a finding without a problem."""
    return Finding(name, Level.OK, found)


def note(name: str, found: str, mend: str) -> Finding:
    """Return a problem that does not affect the chosen configuration."""
    return Finding(name, Level.NOTE, found, mend)


def broken(name: str, found: str, mend: str) -> Finding:
    """Return a problem that the chosen configuration cannot work with."""
    return Finding(name, Level.BROKEN, found, mend)


def findings_text(findings: Sequence[Finding]) -> str:
    """Return one line per finding: its level, its name, what was found, and how to fix it."""
    width = max((len(finding.name) for finding in findings), default=0)
    lines = []
    for finding in findings:
        mend = f" -> {finding.mend}" if finding.mend else ""
        lines.append(f"{finding.level.value:<7} {finding.name:<{width}}  {finding.found}{mend}")
    return "\n".join(lines)

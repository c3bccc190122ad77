"""Check whether this machine is ready for the chosen configuration, and say how to fix the rest."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from steadyhand.doctor import Level, examine, findings_text
from steadyhand.terminal import say

EPILOG = (
    "ok = ready; note = could be better, or is missing and not needed; BROKEN = the chosen configuration needs it.\n"
    "The exit status is 0 unless something is broken.\n"
    "example: steadyhand doctor device=spacemouse learner.device=cuda"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add no options: the verb has none of its own."""


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Print one line per finding."""
    findings = list(examine(overrides))
    say(findings_text(findings))
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    say(f"\n{counts[Level.OK]} ok, {counts[Level.NOTE]} to note, {counts[Level.BROKEN]} broken")
    return 1 if counts[Level.BROKEN] else 0

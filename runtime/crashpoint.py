"""Named places at which a test lets the process die, as a power switch would: nothing is flushed, nothing is closed."""

from __future__ import annotations

import os
from typing import Literal

__all__ = ["EXIT_STATUS", "POINTS", "VARIABLE", "CrashPointError", "Side", "crashpoint"]

Side = Literal["actor", "learner"]

VARIABLE = "STEADYHAND_CRASHPOINT"  # `<name>`, or `<name>@<n>` for its n-th passage
EXIT_STATUS = 137  # what a shell reports for SIGKILL

# Every point there is, and the processes that pass it. A sweep goes through this table, and a test compares it with the
# source, so a new point cannot be forgotten by either.
POINTS: dict[str, tuple[Side, ...]] = {
    # The log, on both sides.
    "log.create.allocated": ("actor", "learner"),
    "log.append.before": ("actor",),
    "log.append.after": ("actor",),
    "log.roll.prepared": ("actor", "learner"),
    "log.roll.adopted": ("actor", "learner"),
    "log.finish.synced": ("actor", "learner"),
    "log.finish.marked": ("actor", "learner"),
    "log.sync.before": ("actor", "learner"),
    "log.sync.synced": ("actor", "learner"),
    "log.sync.marked": ("actor", "learner"),
    # The actor.
    "session.opened": ("actor",),
    "uplink.send.before": ("actor",),
    "uplink.send.after": ("actor",),
    "uplink.ack": ("actor",),
    "forget.noted": ("actor",),
    "forget.deleted": ("actor",),
    "logbook.before": ("actor",),
    "logbook.after": ("actor",),
    "weights.offered": ("actor",),
    "weights.swapped": ("actor",),
    # The learner.
    "epoch.counted": ("learner",),
    "intake.opened": ("learner",),
    "intake.records.before": ("learner",),
    "intake.records.appended": ("learner",),
    "intake.records.stored": ("learner",),
    "intake.synced": ("learner",),
    "journal.before": ("learner",),
    "journal.after": ("learner",),
    "update.before": ("learner",),
    "update.after": ("learner",),
    "publish.before": ("learner",),
    "publish.after": ("learner",),
    "checkpoint.begun": ("learner",),
    "checkpoint.file": ("learner",),
    "checkpoint.manifest": ("learner",),
    "checkpoint.synced": ("learner",),
    "checkpoint.renamed": ("learner",),
    "checkpoint.whole": ("learner",),
    "checkpoint.pruned": ("learner",),
}


class CrashPointError(ValueError):
    """The environment names a crash point that does not exist."""


def _armed(value: str) -> tuple[str, int]:
    name, _, passage = value.partition("@")
    if name not in POINTS or not (passage or "1").isdecimal():
        raise CrashPointError(f"{VARIABLE}: expected <name> or <name>@<n> of a crash point, found {value[:80]!r}")
    return name, int(passage or "1")


_name, _left = _armed(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else ("", 0)


def crashpoint(name: str) -> None:
    """Die here if the environment says so; otherwise cost one comparison."""
    global _left
    if name == _name:
        _left -= 1
        if _left <= 0:
            os._exit(EXIT_STATUS)

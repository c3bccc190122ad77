"""Named places at which a test lets the process die, or interrupts it.

The process dies as if its power were cut: nothing is flushed, nothing is closed. An interrupt is a Ctrl-C.
"""

from __future__ import annotations

import os
import signal
from typing import Literal

__all__ = ["EXIT_STATUS", "INTERRUPTED", "POINTS", "VARIABLE", "CrashPointError", "Side", "crashpoint"]

Side = Literal["actor", "learner"]

VARIABLE = "STEADYHAND_CRASHPOINT"  # `<name>`, or `<name>@<n>` for its n-th passage; `<name>!` interrupts
EXIT_STATUS = 137  # what a shell reports for SIGKILL
INTERRUPTED = b"crash point: interrupted here\n"  # on standard error, at that moment

# Every crash point, and the processes that pass it. A sweep goes through this table, and a test compares it with the
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
    "metrics.before": ("actor",),
    "metrics.after": ("actor",),
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


def _armed(value: str) -> tuple[str, int, bool]:
    place, interrupts, rest = value.partition("!")
    name, _, passage = place.partition("@")
    if name not in POINTS or not (passage or "1").isdecimal() or rest:
        raise CrashPointError(f"{VARIABLE}: expected <name> or <name>@<n> of a crash point, found {value[:80]!r}")
    return name, int(passage or "1"), bool(interrupts)


_name, _left, _interrupts = _armed(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else ("", 0, False)


def crashpoint(name: str) -> None:
    """Die here, or be interrupted, if the environment variable says so; otherwise cost one comparison."""
    global _left
    if name == _name:
        _left -= 1
        if _left <= 0 and not _interrupts:
            os._exit(EXIT_STATUS)
        if _left == 0:
            os.write(2, INTERRUPTED)
            os.kill(os.getpid(), signal.SIGINT)  # from any thread; the main one handles it

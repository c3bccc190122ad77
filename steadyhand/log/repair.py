"""Repair a log at rest: renew headers, copy damaged records from another copy of the log, quarantine the rest."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from steadyhand.log.check import show
from steadyhand.log_facts import log_folders
from steadyhand.runtime.run_lock import run_lock
from steadyhand.settings import check_overrides
from steadyhand.terminal import say
from steadyhand.transport import log_folder
from steadyhand.transport.damage import Damage
from steadyhand.transport.log import LogError, LogReader
from steadyhand.transport.log_account import account
from steadyhand.transport.record import lost_record
from steadyhand.transport.recovery import recover

__all__ = ["EPILOG", "add_options", "run"]

LEVELS_UP = 4  # from <run>/actors/<id>/outbox/<session> to the run
EPILOG = (
    "Without --yes nothing is changed. Only bytes whose checksum is wrong are ever overwritten.\n"
    "A learner's log and an actor's outbox of one session are copies of each other.\n"
    "example: steadyhand log repair runs/pegs/log/<session> --from runs/pegs/actors/arm/outbox/<session> --yes"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for the folders."""
    parser.add_argument("folder", type=Path, help="a log or a demo set, or a folder with some of them below it")
    parser.add_argument("--from", dest="source", type=Path, metavar="FOLDER", help="another copy of the log")
    parser.add_argument("--yes", action="store_true", help="repair; otherwise only say what would be done")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Repair every log, and print the account before and after."""
    check_overrides(overrides, "log repair", ())
    folders = log_folders(options.folder)
    if not folders or (options.source and len(folders) > 1):
        found = f"{len(folders)} of them" if folders else "none in or below it"
        raise LogError(f"{options.folder}: expected {'one log' if options.source else 'a log'}, found {found}")
    for folder in folders:
        with ExitStack() as stack:
            if options.yes:
                _claim(folder, stack)
            _repair(folder, options.source, options.yes)
    show([account(folder) for folder in folders])
    return 0


def _claim(folder: Path, stack: ExitStack) -> None:
    """Keep learner and actor away from the run that a log belongs to."""
    for above in [folder.resolve(), *folder.resolve().parents][:LEVELS_UP]:
        if (above / "outbox").is_dir():
            stack.enter_context(run_lock(above, "actor"))
        if (above / "log").is_dir() and (above / "checkpoints").is_dir():
            stack.enter_context(run_lock(above, "learner"))


def _repair(folder: Path, source: Path | None, yes: bool) -> None:
    before = account(folder)
    bad = [
        seq for one in before.bad if one.state in ("damaged", "missing") for seq in range(one.first_seq, one.end_seq)
    ]
    copies = {} if source is None else _copies(source, before.session_id, bad)
    if not bad and not before.faults:
        say(f"{folder}: nothing to repair")
        return
    text = f"{len(copies)} records from {source or 'no other copy'}, {len(bad) - len(copies)} to quarantine, "
    say(f"{folder}: {text}{len(before.faults)} headers and marks{'' if yes else '; --yes repairs'}")
    if not yes:
        return
    recover(folder, fill_from=log_folder.paths(folder)[0][0])
    with closing(LogReader(folder)) as reader:
        damage = Damage(folder, reader.dtype.itemsize)
        damage.add(bad)
        for seq in bad:
            row = int(reader.rows_of([seq])[0])
            reader.verify(np.arange(max(0, row - 1), min(row + 2, len(reader))))
            damage.mend(memoryview(copies.get(seq) or lost_record(reader.dtype, seq, reader.place(row))))


def _copies(source: Path, session_id: str, numbers: Sequence[int]) -> dict[int, bytes]:
    """Return the sound records with these numbers of another copy.

    Raises:
        LogError: It is of another session.
    """
    with closing(LogReader(source)) as reader:
        if reader.session_id != session_id:
            raise LogError(f"{source}: expected session {session_id}, found {reader.session_id}; give its other copy")
        rows = reader.rows_of(numbers)
        rows = rows[reader.verify(rows)]
        return {reader.seq_at(row): reader.frame(row, row + 1) for row in rows.tolist()}

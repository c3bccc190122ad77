"""Read every checksum of logs and demo sets, and list what is damaged, missing, lost or unfit."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from steadyhand.log_facts import log_folders
from steadyhand.settings import check_overrides
from steadyhand.terminal import plain, say, table_text
from steadyhand.transport.log import LogError
from steadyhand.transport.log_account import LogAccount, account

__all__ = ["EPILOG", "add_options", "run", "show"]

STATES = ("damaged", "missing", "unfit", "lost")
EPILOG = (
    "damaged: bytes have changed. missing: a file is gone or was cut. unfit: numbers that are not finite or not\n"
    "possible. lost: quarantined before; the number is kept. None of them is trained on.\n"
    "Exits 1 if a byte is not as it was written.\n"
    "example: steadyhand log check runs/pegs"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the argument for the folder."""
    parser.add_argument("folder", type=Path, help="a log, a demo set, or a folder with some of them below it")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Print the account of every log."""
    check_overrides(overrides, "log check", ())
    folders = log_folders(options.folder)
    if not folders:
        raise LogError(f"{options.folder}: expected a folder with a log or a demo set, found none in or below it")
    accounts, unread = [], 0
    for folder in folders:
        try:
            accounts.append(account(folder))
        except LogError as error:
            say(plain(f"{error}"))
            unread += 1
    show(accounts)
    return 1 if unread or not all(one.is_whole for one in accounts) else 0


def show(accounts: Sequence[LogAccount]) -> None:
    """Print a table with a row per log, and below it what is left out."""
    rows = [[str(one.folder), one.records, *(one.count(state) for state in STATES), one.episodes] for one in accounts]
    if rows:
        say(table_text(["log", "records", *STATES, "episodes touched"], rows))
    for one in accounts:
        if one.bad or one.faults:
            say(f"\n{plain(str(one.folder))}")
        for fault in one.faults:
            say(plain(f"  {fault}"))
        for bad in one.bad:
            numbers = f"seq {bad.first_seq}" + (f" to {bad.end_seq - 1}" if bad.end_seq - bad.first_seq > 1 else "")
            where = f"{bad.file}, bytes {bad.first_byte} to {bad.end_byte - 1}"
            say(plain(f"  {bad.state:<8} {numbers}: from {bad.place}; {where}"))

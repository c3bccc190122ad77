"""The ledger of promises of jobs on a bad disk, and the further tries of their callers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from steadyhand.actor.session_log import LogFaultError
from steadyhand.runtime.run_folder import RunFolderError
from steadyhand.transport.log import LogError
from steadyhand.transport.outbox import Rejected
from steadyhand.transport.uplink import UplinkTimeout
from tests.disk_kit import Disk
from tests.integrity.plain_log import LOST, PlainRecord
from tests.pool_kit import Pool

ATTEMPTS = 3  # of one call, before the job goes on without it
NEW = 10_000  # first step of records that are made after the restart
REFUSED = (OSError, LogError, LogFaultError, Rejected, RunFolderError, UplinkTimeout)


class Ledger:
    """Promises, each with the change of the disk after which it was made."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._entries: list[tuple[int, str, Any]] = []

    def note(self, name: str, value: Any) -> None:
        """Note a promise; a later one of the same name replaces it."""
        self._entries.append((len(self._disk.ops), name, value))

    def until(self, change: int | None = None) -> dict[str, Any]:
        """Return what was promised before a change; all by default."""
        return {name: value for at, name, value in self._entries if change is None or at <= change}


def attempt(work: Callable[..., Any], *arguments: Any) -> Any:
    """Return the result of a call that may be refused; None if it is, again and again."""
    for _ in range(ATTEMPTS):
        with suppress(*REFUSED):
            return work(*arguments)
        Pool.work_all()
    return None


def own_steps(records: Iterable[PlainRecord]) -> set[int]:
    """Return the numbers of the sound records, after a check that each is the step that was recorded under it."""
    sound = [one for one in records if one.sound and one.kind != LOST]
    assert [one.seq for one in sound] == [one.number("step_index") for one in sound]
    return {one.seq for one in sound}

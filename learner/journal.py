"""The journal of the records visible at each block of gradient steps, so that a resumed learner sees the same."""

from __future__ import annotations

import io
import json
import os
from collections import deque
from pathlib import Path
from typing import TypedDict

import msgspec

from steadyhand.learner.replay.store import Watermark
from steadyhand.runtime.append import append_whole
from steadyhand.runtime.crashpoint import crashpoint
from steadyhand.runtime.logging import get_logger
from steadyhand.runtime.run_folder import sync_folder

__all__ = ["Journal", "JournalError", "JournalMark"]

logger = get_logger("learner.journal")


class JournalError(ValueError):
    """A file that is not a journal."""


class JournalMark(TypedDict):
    """A place in the journal, kept in a checkpoint."""

    place: int  # bytes
    shown: Watermark


class Journal:
    """An append-only file with one line per block: the number of its first step, and the newly visible records.

    A line is in the page cache before its block is sampled, so it survives the death of the process; `sync` makes it
    survive a power cut.

    Args:
        path: The file; continued when it exists. A last line that a crash has cut short is dropped.
        step: The next block. Lines before it are the records seen so far, lines from it on those to see again.
        mark: The result of `mark` when a checkpoint was written; lines before it are not read again.

    Raises:
        JournalError: The file is no journal, or ends before the mark.
    """

    def __init__(self, path: Path, step: int, mark: JournalMark | None = None) -> None:
        self.seen: list[Watermark] = []  # records that became visible before `step`, in order
        self._ahead: deque[tuple[int, Watermark, int]] = deque()  # blocks made before: step, records, place of line
        self._shown: Watermark = {} if mark is None else dict(mark["shown"])
        if path.is_symlink():
            raise JournalError(f"{path}: expected a file, found a symbolic link; remove it")
        self._read(path, step, 0 if mark is None else mark["place"])
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = io.FileIO(os.open(path, flags, 0o644), "ab")
        sync_folder(path.parent)  # a checkpoint names a place in the file, which must not vanish

    def _read(self, path: Path, step: int, place: int) -> None:
        if place > (path.stat().st_size if path.exists() else 0):
            raise JournalError(f"{path}: expected at least {place} bytes, found less; restore it, or start a new run")
        for line in _lines(path, place) if path.exists() else []:
            if not line.endswith(b"\n"):
                logger.warning("%s: dropped a last line that was cut short", path)
                os.truncate(path, place)
                return
            try:
                block, news = msgspec.json.decode(line, type=tuple[int, Watermark])
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                raise JournalError(f"{path}, byte {place}: expected [step, {{session: seq}}], found {error}") from None
            if block >= step:
                self._ahead.append((block, news, place))
            elif news:
                self.seen.append(news)
                self._shown |= news
            place += len(line)

    def mark(self) -> JournalMark:
        """Return the place of the next block's line, written or not, and the records shown before it."""
        place = self._ahead[0][2] if self._ahead else os.fstat(self._file.fileno()).st_size
        return {"place": place, "shown": dict(self._shown)}

    def planned(self, step: int) -> Watermark | None:
        """Return the records that became visible for block `step` when it was first made; None if it was not."""
        if self._ahead and self._ahead[0][0] == step:
            return self._ahead[0][1]
        return None

    def note(self, step: int, watermark: Watermark) -> Watermark:
        """Note that block `step` is about to be made at `watermark`; return the records that become visible for it.

        Raises:
            OSError: The disk is full; the journal is as before.
        """
        planned = self.planned(step)
        if planned is not None:
            self._ahead.popleft()
            self._shown |= planned
            return planned
        self.drop_ahead()
        news = {name: seq for name, seq in watermark.items() if self._shown.get(name) != seq}
        crashpoint("journal.before")
        append_whole(self._file.fileno(), f"{json.dumps([step, news], separators=(',', ':'))}\n".encode())
        crashpoint("journal.after")
        self._shown |= news
        return news

    def drop_ahead(self) -> None:
        """Forget the earlier blocks that were to be made again."""
        if self._ahead:
            logger.warning("journal: %d blocks from step %d on are made anew", len(self._ahead), self._ahead[0][0])
            self._file.truncate(self._ahead[0][2])
            self._ahead.clear()

    def sync(self) -> None:
        """Return when every line survives a power cut."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _lines(path: Path, place: int) -> list[bytes]:
    with path.open("rb") as file:
        file.seek(place)
        return file.read().splitlines(keepends=True)

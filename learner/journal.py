"""What was visible at each block of gradient steps, so that a resumed learner sees the same again."""

from __future__ import annotations

import json
import os
from collections import deque
from pathlib import Path
from typing import TypedDict

from steadyhand.learner.replay.store import Watermark
from steadyhand.runtime.append import append_whole
from steadyhand.runtime.crashpoint import crashpoint
from steadyhand.runtime.logging import get_logger

__all__ = ["Journal", "JournalError", "JournalMark"]

logger = get_logger("learner.journal")


class JournalError(ValueError):
    """A file that is not a journal."""


class JournalMark(TypedDict):
    """A place in the journal, kept in a checkpoint."""

    place: int  # bytes
    shown: Watermark


class Journal:
    """An append-only file with one line a block: the number of its first step, and what newly became visible for it.

    A line is in the page cache before its block is sampled, so it survives the death of the process; `sync` makes it
    survive a power cut.

    Args:
        path: the file; continued when it is there. A last line that a crash has cut short is dropped.
        step: the block that comes next. Lines before it say what has been seen, lines from it on what to see again.
        mark: what `mark` said when a checkpoint was written; lines before it are not read again.

    Raises:
        JournalError: the file is none, or ends before the mark.
    """

    def __init__(self, path: Path, step: int, mark: JournalMark | None = None) -> None:
        self.seen: list[Watermark] = []  # what became visible before `step`, in order
        self._ahead: deque[tuple[int, Watermark, int]] = deque()  # blocks made before: step, news, place of the line
        self._shown: Watermark = {} if mark is None else dict(mark["shown"])
        self._read(path, step, 0 if mark is None else mark["place"])
        self._file = path.open("ab", buffering=0)

    def _read(self, path: Path, step: int, place: int) -> None:
        if place > (path.stat().st_size if path.exists() else 0):
            raise JournalError(f"{path}: expected at least {place} bytes, found less; restore it, or start a new run")
        for line in _lines(path, place) if path.exists() else []:
            if not line.endswith(b"\n"):
                logger.warning("%s: dropped a last line that was cut short", path)
                os.truncate(path, place)
                return
            try:
                block, news = json.loads(line)
                news = {str(name): int(seq) for name, seq in news.items()}
            except (ValueError, TypeError, AttributeError) as error:
                raise JournalError(f"{path}, byte {place}: expected [step, {{session: seq}}], found {error}") from None
            if block >= step:
                self._ahead.append((block, news, place))
            elif news:
                self.seen.append(news)
                self._shown |= news
            place += len(line)

    def mark(self) -> JournalMark:
        """Where the line of the next block is or will be, and what has been shown before it."""
        place = self._ahead[0][2] if self._ahead else os.fstat(self._file.fileno()).st_size
        return {"place": place, "shown": dict(self._shown)}

    def planned(self, step: int) -> Watermark | None:
        """What newly became visible for block `step` when it was made before; None if it never was."""
        if self._ahead and self._ahead[0][0] == step:
            return self._ahead[0][1]
        return None

    def note(self, step: int, watermark: Watermark) -> Watermark:
        """Note that block `step` is about to be made at `watermark`; returns what newly becomes visible for it.

        Raises:
            OSError: the disk is full; the journal is as before.
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
        """Forget the blocks made before that were to be made again."""
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

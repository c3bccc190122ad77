"""The label log: later verdicts of people and classifiers on records, beside the log that holds these.

Records are never rewritten. A label replaces the rewards, ends and success marks of some records. The newest label of a
record counts. Labels are numbered from 1, so a version number fixes exactly which labels count.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from steadyhand.runtime.append import append_whole
from steadyhand.runtime.clock import utc_text, wall_time_ns
from steadyhand.runtime.logging import quoted
from steadyhand.runtime.run_folder import sync_folder

__all__ = ["BY_REWARD", "UNSURE", "Label", "LabelError", "LabelReader", "append_label", "failure_label", "is_of_person"]

FILE = "labels.log"
BY_REWARD = "reward "  # begins the author of a reward component's labels
MOST_STAGES = 1_000  # of a task
UNSURE = -1  # the stage of an observation that no classifier is to learn from
SIGN = " "  # between a line's checksum and its JSON


class LabelError(RuntimeError):
    """A label log that is damaged, or a label that does not fit its records."""


@dataclass(frozen=True)
class Label:
    """Label of records [first_seq, end_seq) of a session, valid from its version on. None keeps the earlier value."""

    session_id: str
    first_seq: int
    end_seq: int
    rewards: tuple[float, ...] | None  # (n,)
    terminated: tuple[bool, ...] | None  # (n,); the discount of a step is gamma (1 - terminated)
    success: bool | None  # of the episode
    author: str  # the person or the program that gave it
    date: str  # ISO 8601, UTC
    version: int = 0  # assigned when the label is appended
    stages: tuple[int, ...] | None = None  # (n,) number of stages that each observation shows as done, or UNSURE

    def __post_init__(self) -> None:
        count = self.end_seq - self.first_seq
        if self.first_seq < 0 or count < 1:
            raise LabelError(f"label: expected some records, found seq {self.first_seq} to before {self.end_seq}")
        for name in ("rewards", "terminated", "stages"):
            values = getattr(self, name)
            if values is not None and len(values) != count:
                raise LabelError(f"label: expected {count} {name}, one a record, found {len(values)}")
        if self.rewards is not None and not all(abs(value) < float("inf") for value in self.rewards):
            raise LabelError("label: expected finite rewards, found NaN or infinity")
        if self.stages is not None and not all(UNSURE <= stage <= MOST_STAGES for stage in self.stages):
            raise LabelError(f"label: expected stages within {UNSURE}..{MOST_STAGES}, found others")


def failure_label(session_id: str, first_seq: int, end_seq: int, author: str) -> Label:
    """Return the label that marks records [first_seq, end_seq) as a failure, so that their actions are not imitated."""
    return Label(session_id, first_seq, end_seq, None, None, False, author, utc_text(wall_time_ns()))


def is_of_person(label: Label) -> bool:
    """Return whether this label is a person's verdict on an episode, and not a reward component's."""
    return label.success is not None and not label.author.startswith(BY_REWARD)


class LabelReader:
    """Reader of one session's label log as it grows. Without a file there are no labels."""

    def __init__(self, folder: Path, session_id: str) -> None:
        self._path, self._session_id = folder / FILE, session_id
        self.place = 0  # where the next label begins
        self._version = 0

    def refresh(self) -> list[Label]:
        """Return the labels that were added since, oldest first. A line whose end has not been written yet waits.

        Raises:
            LabelError: The file is damaged; training must not use altered labels.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(self.place)
                raw = file.read()
        except FileNotFoundError:
            return []
        labels = []
        for line in raw.splitlines(keepends=True):
            if line.endswith(b"\n"):
                labels.append(self._parse(line))
                self.place += len(line)
                self._version += 1
        return labels

    def _parse(self, line: bytes) -> Label:
        crc, _, text = line[:-1].partition(SIGN.encode())
        try:
            if int(crc, 16) != zlib.crc32(text):
                raise ValueError("a wrong checksum")
            label = msgspec.json.decode(text, type=Label)
        except (ValueError, msgspec.MsgspecError, LabelError) as error:
            what = f"expected label {self._version + 1}, found {quoted(str(error), 120)}"
            raise LabelError(f"{self._path}: {what}; restore the file") from None
        if (label.session_id, label.version) != (self._session_id, self._version + 1):
            raise LabelError(
                f"{self._path}: expected label {self._version + 1} of session {self._session_id}, "
                f"found label {label.version} of {label.session_id}; restore the file"
            )
        return label


def append_label(folder: Path, label: Label) -> Label:
    """Append a label to the log in `folder` and sync it against a power cut; return the label with its version.

    Raises:
        LabelError: The label log is damaged, or of another session.
        OSError: The disk is full; the label log is as before.
    """
    descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        reader = LabelReader(folder, label.session_id)
        earlier = reader.refresh()
        os.ftruncate(descriptor, reader.place)  # beyond it there is only a line that a crash has cut short
        label = replace(label, version=len(earlier) + 1)
        if not earlier:
            sync_folder(folder)  # the file may be new
        text = msgspec.json.encode(label)
        append_whole(descriptor, f"{zlib.crc32(text):08x}{SIGN}".encode() + text + b"\n", sync=True)
        return label
    finally:
        os.close(descriptor)

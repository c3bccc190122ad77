"""One session: the actor's log, and its continuation after a restart."""

from __future__ import annotations

import errno
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steadyhand.runtime.crashpoint import crashpoint
from steadyhand.runtime.logging import get_logger
from steadyhand.runtime.run_folder import make_folder
from steadyhand.transport.ack_file import note_acknowledged, read_acknowledged
from steadyhand.transport.log import LogError, LogReader, LogWriter
from steadyhand.transport.record import Kind
from steadyhand.transport.run_identity import UNKNOWN, Identity, read_identity, write_identity
from steadyhand.transport.schema import Schema

__all__ = ["LogFaultError", "LogFullError", "Session", "kept_if_used", "open_session"]

_log = get_logger("actor.session_log")

SESSION_BYTES = 16
NEWEST_CHECKED = 64  # records whose checksums are read when a session goes on
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
SESSION_FOLDER = re.compile(r"[0-9a-f]{32}")


class LogFaultError(RuntimeError):
    """The log cannot be written, so no step that would be recorded may be made."""


class LogFullError(LogFaultError):
    """The disk has no room; the log is whole, and goes on once there is room."""


@dataclass(frozen=True)
class Session:
    """A log that is being written, with its content at the time of opening."""

    actor_id: str
    session_id: str
    writer: LogWriter
    steps: int  # STEP records
    next_episode_id: int
    acknowledged: int = 0  # records that the learner was known to hold when the log was opened
    identity: Identity = UNKNOWN  # of the run, the task and the robot
    # Whether the log begins with an empty file: records of an unfinished episode may be delivered and deleted.
    begins_empty: bool = False

    @property
    def folder(self) -> Path:
        """Return the folder of the log."""
        return self.writer.folder

    @property
    def schema(self) -> Schema:
        """Return the schema of its records."""
        return self.writer.schema

    def append(self, record: NDArray[np.void]) -> None:
        """Append one record.

        Raises:
            LogFullError: The disk is full.
            LogFaultError: The log cannot be written for another reason.
        """
        try:
            self.writer.append(record)
        except OSError as error:
            if _is_lack_of_room(error):
                raise LogFullError(f"log: {error}; free disk space, it goes on by itself") from error
            raise LogFaultError(_log_fault(error)) from error

    def broken(self) -> str:
        """Return the reason why the log can never go on; "" while it can, though it may have to wait for room."""
        fault = self.writer.fault
        return "" if fault is None or _is_lack_of_room(fault) else _log_fault(fault)

    def waiting_bytes(self, durable_seq: int) -> int:
        """Return the bytes of the records that the learner does not hold, when it holds all before `durable_seq`."""
        held = max(durable_seq, self.acknowledged)
        return max(0, self.writer.next_seq - held) * self.writer.dtype.itemsize

    def settle(self, durable_seq: int) -> None:
        """Sync the appended records against a power cut, and forget those that the learner holds; between episodes.

        Args:
            durable_seq: The learner holds everything before it, power cuts included.

        Raises:
            LogFaultError: The disk refused.
        """
        try:
            self.writer.sync()
            if self.writer.forget(self._note(durable_seq)):
                crashpoint("forget.deleted")
        except OSError as error:
            raise LogFaultError(_log_fault(error)) from error

    def _note(self, durable_seq: int) -> int:
        """Note the records that the learner holds, and return the noted number: a lower one on a full disk."""
        if durable_seq <= self.acknowledged:
            return durable_seq
        try:
            note_acknowledged(self.folder, durable_seq)
        except OSError as error:
            if not _is_lack_of_room(error):
                raise
            return read_acknowledged(self.folder)
        crashpoint("forget.noted")
        return durable_seq


@contextmanager
def kept_if_used(session: Session) -> Iterator[None]:
    """Remove a session without a record when an error ends the context, so that a refused start leaves none."""
    try:
        yield
    except BaseException:
        if session.writer.next_seq == 0:
            shutil.rmtree(session.folder, ignore_errors=True)
            with suppress(OSError):
                session.folder.parent.rmdir()  # only when it has no other session
        raise


def _log_fault(error: BaseException) -> str:
    """Return one line about a log that cannot be written."""
    return f"log: {error}; mend the disk or free space on it and start again, it goes on from where it stopped"


def _is_lack_of_room(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in NO_ROOM


def open_session(
    folder: Path,
    schema: Schema,
    actor_id: str,
    segment_bytes: int,
    trim: bool,
    identity: Identity = UNKNOWN,
) -> Session:
    """Go on with the newest session in `folder`, or start one.

    A process that was killed may leave unacknowledged records. The next process goes on in the same log under the same
    session, so they are sent before new ones. Another schema, actor, task or robot starts a session of its own.

    Args:
        folder: Folder with one log folder per session, named by its id.
        schema: Schema of the records.
        actor_id: Id of the recording actor.
        segment_bytes: Size of one of the log's files.
        trim: Whether segments that the learner holds may be deleted. In lockstep they stay, as they count the steps.
        identity: Identity of the run, the task and the robot.
    """
    make_folder(folder)
    session = _newest(folder, schema, actor_id, segment_bytes, trim, identity) or _new(
        folder, schema, actor_id, segment_bytes, trim
    )
    write_identity(session.folder, identity)
    session = replace(session, identity=identity)
    crashpoint("session.opened")
    return session


def _newest(
    folder: Path, schema: Schema, actor_id: str, segment_bytes: int, trim: bool, identity: Identity
) -> Session | None:
    names = [path for path in folder.iterdir() if SESSION_FOLDER.fullmatch(path.name)]
    for path in sorted(names, key=lambda path: path.stat().st_mtime_ns, reverse=True):
        try:
            reader = LogReader(path)
        except (LogError, OSError) as error:
            _log.error("%s; a new session begins", error)
            continue
        try:
            recorded = read_identity(path)
            same = not (recorded.task_difference(identity) or recorded.robot_difference(identity))
            if same and (reader.schema, reader.actor_id) == (schema, actor_id):
                return _go_on(reader, segment_bytes, trim)
        finally:
            reader.close()
    return None


def _new(folder: Path, schema: Schema, actor_id: str, segment_bytes: int, trim: bool) -> Session:
    session_id = secrets.token_hex(SESSION_BYTES)
    writer = LogWriter(folder / session_id, schema, actor_id, session_id, segment_bytes, trim)
    return Session(actor_id, session_id, writer, steps=0, next_episode_id=0)


def _go_on(found: LogReader, segment_bytes: int, trim: bool) -> Session:
    writer = LogWriter(found.folder, found.schema, found.actor_id, found.session_id, segment_bytes, trim)
    with closing(LogReader(found.folder)) as reader:  # after the recovery, which may know of more records
        return _content(reader, writer)


def _content(reader: LogReader, writer: LogWriter) -> Session:
    rows = np.arange(len(reader))
    steps = int(np.count_nonzero(reader.gather(rows, "kind") != Kind.FINAL))
    newest = rows[-NEWEST_CHECKED:]
    reader.verify(newest)  # a damaged number would become the next episode's
    next_episode_id = int(reader.gather(newest, "episode_id").max(initial=-1)) + 1
    acknowledged = read_acknowledged(reader.folder)
    begins_empty = not len(rows) and writer.next_seq > 0
    return Session(
        reader.actor_id,
        reader.session_id,
        writer,
        steps,
        next_episode_id,
        acknowledged,
        begins_empty=begins_empty,
    )

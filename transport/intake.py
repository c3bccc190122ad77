"""The learner's end of the link: stores records, one log per session, and answers with its status."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from steadyhand.runtime.clock import Clock, MonotonicClock
from steadyhand.runtime.crashpoint import crashpoint
from steadyhand.runtime.logging import escaped, get_logger
from steadyhand.transport import segment
from steadyhand.transport.budget import Budget
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.delivery import ReceiverState
from steadyhand.transport.identity import UNKNOWN, Identity, read_identity, write_identity
from steadyhand.transport.log import LogError, LogReader, LogWriter
from steadyhand.transport.record import RecordError, record_dtype
from steadyhand.transport.schema import Schema, SchemaError
from steadyhand.transport.weights import WeightsError
from steadyhand.transport.wire import MAX_REASONS, PROTOCOL_VERSION, Accept, Ack, Hello, Reject, Status, WireError

__all__ = ["Intake", "UnknownSessionError"]

NS_PER_S = 1_000_000_000
MAX_SESSIONS = 64  # open at once
MAX_NEW_SESSIONS, NEW_SESSIONS_WINDOW_S = 32, 60.0  # of one actor within the window: each one costs files
SESSION_FOLDER = re.compile(r"[0-9a-f]{32}")

_log = get_logger("transport.intake")

PolicySpecOf = Callable[[Schema], dict[str, Any]]
StatusOf = Callable[[str], Status]
Sink = Callable[[str, int, int], None]


class UnknownSessionError(RuntimeError):
    """A message of a session that was not accepted, or that has expired: it must say HELLO."""


@dataclass
class _Session:
    actor_id: str
    writer: LogWriter
    heard_ns: int


class Intake:
    """The sessions of one learner run, independent of sockets; any thread may call it.

    The log in `folder/<session_id>/` alone defines which records of a session are stored, also after a restart.
    """

    def __init__(
        self,
        folder: Path,
        config: TransportConfig,
        policy_spec: PolicySpecOf,
        status: StatusOf,
        required: Schema | None = None,
        learner_epoch: int = 0,
        clock: Clock | None = None,
        identity: Identity = UNKNOWN,
        accept_other_robot: bool = False,
    ) -> None:
        """Open the existing logs.

        Args:
            folder: Holds one log folder per session.
            config: Sizes and times.
            policy_spec: Given the schema of a HELLO, returns the PolicySpec's JSON; a ValueError rejects the actor.
            status: Given a session's id, returns the status in every acknowledgement. Called on the intake's thread.
            required: Schema that every actor must record; None takes it from the first log, demo set or HELLO.
            learner_epoch: Number of the learner's start; it rises with every start.
            clock: Measures silence.
            identity: The learner's run, and the task and the robot as far as they are known; the logs and the first
                actor's HELLO give the rest.
            accept_other_robot: Whether an actor on another robot is accepted, with a warning.

        Raises:
            SchemaError: A log in the folder does not fit `required`.
            IdentityError: The identity of a log cannot be read.
        """
        self.folder, self.config, self.learner_epoch = folder, config, learner_epoch
        self.sinks: list[Sink] = []  # called with (session_id, first seq, next seq) after records were stored
        self.newest_weights: bytes | None = None
        self._policy_spec, self._learner_status = policy_spec, status
        self._clock = clock or MonotonicClock()
        self._lock = threading.RLock()
        self._sessions: dict[str, _Session] = {}
        self._new_sessions = Budget(MAX_NEW_SESSIONS, NEW_SESSIONS_WINDOW_S, MAX_SESSIONS, self._clock)
        self._durable: dict[str, int] = {}  # session id -> the number before which its records survive a power cut
        self._schema, self._identity = required, identity
        self._accept_other_robot = accept_other_robot
        folder.mkdir(parents=True, exist_ok=True)
        names = sorted(path.name for path in folder.iterdir() if SESSION_FOLDER.fullmatch(path.name))
        self._readers = {name: LogReader(folder / name) for name in names if segment.paths(folder / name)}
        for reader in self._readers.values():
            self.require(reader.schema)
            self._identity = self._identity.filled(read_identity(reader.folder))
        self._receiver = ReceiverState({name: reader.next_seq for name, reader in self._readers.items()})

    @property
    def schema(self) -> Schema | None:
        """Return the schema that every actor must record, once it is known."""
        return self._schema

    @property
    def identity(self) -> Identity:
        """Return the run, the task and the robot of this learner, as far as they are known."""
        return self._identity

    def require(self, schema: Schema) -> None:
        """Take the schema of a demo set as the required one, or check it against the one already required.

        Raises:
            SchemaError: It lacks a required field.
        """
        with self._lock:
            self._schema = self._schema or schema
            lines = self._schema.diff(schema, extras=False)
        if lines:
            raise SchemaError(f"schema: does not fit what this run learns from: {'; '.join(lines)}")

    def hello(self, hello: Hello) -> Accept | Reject:
        """Accept a session, again or for the first time, or return the reasons of a refusal."""
        try:
            reasons = self._objections(hello, hello.schema)
            if not reasons:
                spec = self._policy_spec(hello.schema)
                next_seq = self._open(hello, hello.schema)
        except (ValueError, LogError, OSError) as error:
            reasons = [str(error)]
        if reasons:
            reasons = [escaped(reason) for reason in reasons[:MAX_REASONS]]
            _log.warning("rejected %s: %s", hello.actor_id, "; ".join(reasons))
            return Reject(reasons)
        _log.info("accepted %s, session %s, from seq %d", hello.actor_id, hello.session_id, next_seq)
        weights_bytes = len(self.newest_weights or b"")
        status = self.status(hello.session_id)
        return Accept(spec, self.learner_epoch, next_seq, status, weights_bytes, self._identity)

    def records(self, session_id: str, first_seq: int, count: int, frame: bytes) -> Ack:
        """Store the new ones of `count` sealed records from `first_seq` on; return the acknowledgement.

        Raises:
            UnknownSessionError: Not accepted, or expired.
            WireError: The frame is not `count` sound records of the session's schema.
            OSError: The disk is full; nothing is acknowledged.
        """
        crashpoint("intake.records.before")
        with self._lock:
            writer = self._heard(session_id).writer
            size = writer.dtype.itemsize
            if len(frame) != count * size:
                raise WireError(f"records: expected {count} of {size} bytes, found a frame of {len(frame)} bytes")
            news = self._receiver.news(session_id, first_seq, count)
            if news:
                try:
                    writer.append_frame(memoryview(frame)[(news.start - first_seq) * size :], news.start)
                    crashpoint("intake.records.appended")
                except RecordError as error:
                    raise WireError(f"records: {error}") from None
                finally:
                    self._receiver.on_stored(session_id, writer.next_seq)
            next_seq = self._receiver.next_seq(session_id)
        crashpoint("intake.records.stored")
        # Outside the lock: a thread that the learner's functions wait for may itself wait for `readers`.
        if news:
            for sink in self.sinks:
                sink(session_id, news.start, news.stop)
        return Ack(next_seq, self.status(session_id))

    def heartbeat(self, session_id: str) -> Status:
        """Note a sign of life; return the learner's status.

        Raises:
            UnknownSessionError: Not accepted, or expired.
        """
        with self._lock:
            self._heard(session_id)
        return self.status(session_id)

    def bye(self, session_id: str) -> None:
        """Close a session that leaves; its log stays."""
        with self._lock:
            session = self._sessions.pop(session_id, None)
            if session is not None:
                session.writer.close()  # syncs
                self._durable[session_id] = session.writer.next_seq
                _log.info("%s left, session %s", session.actor_id, session_id)

    def expire(self) -> None:
        """Close the sessions that have been silent for too long."""
        with self._lock:
            silent_ns = round(self.config.liveness_s * NS_PER_S)
            now_ns = self._clock.now_ns()
            for name in [name for name, one in self._sessions.items() if now_ns - one.heard_ns >= silent_ns]:
                _log.warning("session %s: silent for %.1f s, closed until it says HELLO", name, self.config.liveness_s)
                try:
                    self.bye(name)
                except OSError as error:  # its log is opened and checked again when it comes back
                    _log.error("session %s: its log could not be sealed (%s)", name, error)

    def is_open(self, session_id: str) -> bool:
        """Return whether a session has been accepted and neither left nor expired."""
        with self._lock:
            return session_id in self._sessions

    def publish(self, weights: bytes) -> None:
        """Keep encoded weights as the newest ones.

        Raises:
            WeightsError: More bytes than a message may have.
        """
        limit = self.config.max_weights_bytes
        if len(weights) > limit:
            raise WeightsError(
                f"weights: expected at most transport.max_weights_bytes = {limit}, found {len(weights)} bytes; "
                "raise it on both sides, or make the policy smaller"
            )
        self.newest_weights = weights

    def status(self, session_id: str) -> Status:
        """Return the status for a session: the learner's progress, and which of the session's records are durable."""
        with self._lock:
            durable_seq = self._durable.get(session_id, 0)
        return msgspec.structs.replace(self._learner_status(session_id), durable_seq=durable_seq)

    def next_seq(self, session_id: str) -> int:
        """Return the first record of a session that is not stored."""
        with self._lock:
            return self._receiver.next_seq(session_id)

    def readers(self) -> list[LogReader]:
        """Return one reader per session of the run, open or not: always the same ones, new sessions last.

        They belong to the one thread that calls this, which must `refresh` them to see new records.
        """
        with self._lock:
            return list(self._readers.values())

    def sync(self) -> None:
        """Return when everything stored so far survives a power cut; only then may actors forget it.

        Raises:
            OSError: A disk refused; its records are not reported as durable.
        """
        with self._lock:
            stored = {name: (one.writer, one.writer.next_seq) for name, one in self._sessions.items()}
        for name, (writer, next_seq) in stored.items():
            if next_seq > self._durable.get(name, 0) and writer.sync():
                crashpoint("intake.synced")
                with self._lock:
                    self._durable[name] = max(next_seq, self._durable.get(name, 0))

    def close(self) -> None:
        """Close every session, and the files of the readers; data that they have mapped stay readable."""
        with self._lock:
            for name in list(self._sessions):
                self.bye(name)
            for reader in self._readers.values():
                reader.close()

    def _objections(self, hello: Hello, schema: Schema) -> list[str]:
        if hello.protocol_version != PROTOCOL_VERSION:
            return [f"protocol_version: expected {PROTOCOL_VERSION}, found {hello.protocol_version}; update the older"]
        if hello.schema_hash != schema.hash or hello.control_period_s != schema.control_period_s:
            return ["schema_hash, control_period_s: expected those of the schema itself, found others"]
        size = record_dtype(schema).itemsize
        reasons = []
        if size > self.config.max_frame_bytes:
            reasons.append(f"record: expected at most max_frame_bytes = {self.config.max_frame_bytes}, found {size}")
        with self._lock:
            self.expire()
            reasons += self._identity.objections(hello.identity, hello.actor_id, self._accept_other_robot)
            if self._schema:
                reasons += self._schema.diff(schema, extras=False)
            if hello.session_id not in self._sessions and len(self._sessions) >= MAX_SESSIONS:
                reasons.append(f"sessions: expected at most {MAX_SESSIONS} at once; try again when one has ended")
            if hello.session_id not in self._readers and self._new_sessions.is_spent(hello.actor_id):
                most = f"{MAX_NEW_SESSIONS} new ones within {NEW_SESSIONS_WINDOW_S:.0f} s"
                reasons.append(f"sessions: expected at most {most} of an actor; go on with an earlier one, or wait")
            for name, other in self._sessions.items():
                if name == hello.session_id and (other.writer.schema != schema or other.actor_id != hello.actor_id):
                    reasons.append(f"session_id {name}: held with another schema or actor_id; start a new session")
                elif name != hello.session_id and other.actor_id == hello.actor_id:
                    reasons.append(
                        f"actor_id {hello.actor_id}: held by session {name}, which is alive; "
                        f"stop it, or try again when it has been silent for {self.config.liveness_s:.1f} s"
                    )
        return reasons

    def _open(self, hello: Hello, schema: Schema) -> int:
        """Open the session's log, or find it open; return the first record that it does not have."""
        with self._lock:
            session = self._sessions.get(hello.session_id)
            if session is None:
                # This seals and syncs the records that an earlier start left in the page cache.
                folder = self.folder / hello.session_id
                if folder.is_symlink():
                    raise LogError(f"{folder}: expected a folder, found a symbolic link; remove it")
                writer = LogWriter(folder, schema, hello.actor_id, hello.session_id, self.config.segment_bytes)
                if hello.session_id not in self._readers:
                    try:
                        self._readers[hello.session_id] = LogReader(folder)
                    except (OSError, LogError):
                        writer.close()
                        raise
                    self._new_sessions.spend(hello.actor_id)
                session = self._sessions[hello.session_id] = _Session(hello.actor_id, writer, self._clock.now_ns())
                self._durable[hello.session_id] = writer.next_seq
                crashpoint("intake.opened")
            session.heard_ns = self._clock.now_ns()
            missing = range(session.writer.next_seq, hello.first_seq)
            if missing:
                lost = f"{missing.start} to {missing.stop - 1}"
                _log.error("session %s: its actor has lost records %s, which never arrived", hello.session_id, lost)
                session.writer.skip_to(hello.first_seq)
            write_identity(self.folder / hello.session_id, hello.identity.of_run(self._identity))
            self._schema = self._schema or schema
            self._identity = self._identity.filled(hello.identity)
            self._receiver.on_stored(hello.session_id, session.writer.next_seq)
            return session.writer.next_seq

    def _heard(self, session_id: str) -> _Session:
        session = self._sessions.get(session_id)
        if session is None:
            raise UnknownSessionError(f"session {session_id}: not accepted; say HELLO first")
        session.heard_ns = self._clock.now_ns()
        return session

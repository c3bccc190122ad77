"""The learner's end of the link: stores records, one log per session, and answers with its status."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import msgspec

from steadyhand.runtime.clock import Clock, MonotonicClock
from steadyhand.runtime.crashpoint import crashpoint
from steadyhand.runtime.logging import escaped, get_logger
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.delivery import ReceiverState
from steadyhand.transport.hello_terms import HelloTerms
from steadyhand.transport.log import LogError, LogReader
from steadyhand.transport.open_session import OpenSession, Taken
from steadyhand.transport.open_sessions import OpenSessions
from steadyhand.transport.quarantine import Quarantine
from steadyhand.transport.run_identity import UNKNOWN, Identity, read_identity, write_identity
from steadyhand.transport.schema import Schema
from steadyhand.transport.session_limits import SessionLimits
from steadyhand.transport.stored_sessions import StoredSessions
from steadyhand.transport.weights import WeightsError
from steadyhand.transport.wire import (
    MAX_REASONS,
    Accept,
    Ack,
    Hello,
    Lost,
    Reject,
    Status,
    Wanted,
)

__all__ = ["Intake"]

_log = get_logger("transport.intake")

PolicySpecOf = Callable[[Schema], dict[str, Any]]
StatusOf = Callable[[str], Status]
Sink = Callable[[str, int, int], None]
MendedSink = Callable[[str, list[int]], None]


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
            LogError: A log cannot be read.
            OSError: The disk is full.
        """
        self.folder, self.config, self.learner_epoch = folder, config, learner_epoch
        self.sinks: list[Sink] = []  # called with (session_id, first seq, next seq) after records were stored
        self.mended_sinks: list[MendedSink] = []  # called with (session_id, numbers) after records were repaired
        self.newest_weights: bytes | None = None
        self._policy_spec, self._learner_status = policy_spec, status
        self._clock = clock or MonotonicClock()
        self._lock = threading.RLock()
        self._sessions = OpenSessions(config.liveness_s, self._clock)
        self._limits = SessionLimits(self._clock)
        self._quarantine = Quarantine(folder, self._clock)
        self._terms = HelloTerms(config.max_frame_bytes, required, identity, accept_other_robot)
        self._stored = StoredSessions(folder, config.segment_bytes, self._quarantine)
        for reader in self._stored.readers.values():
            self.require(reader.schema)
            self._terms.fill(read_identity(reader.folder))
        self._receiver = ReceiverState({name: reader.next_seq for name, reader in self._stored.readers.items()})

    @property
    def schema(self) -> Schema | None:
        """Return the schema that every actor must record, once it is known."""
        return self._terms.schema

    @property
    def identity(self) -> Identity:
        """Return the run, the task and the robot of this learner, as far as they are known."""
        return self._terms.identity

    def require(self, schema: Schema) -> None:
        """Take the schema of a demo set as the required one, or check it against the one already required.

        Raises:
            SchemaError: It lacks a required field.
        """
        with self._lock:
            self._terms.require(schema)

    def hello(self, hello: Hello) -> Accept | Reject:
        """Accept a session, again or for the first time, or return the reasons of a refusal."""
        try:
            reasons = self._objections(hello)
            if not reasons:
                spec = self._policy_spec(hello.schema)
                next_seq = self._open(hello)
        except (ValueError, LogError, OSError) as error:
            reasons = [str(error)]
        if reasons:
            reasons = [escaped(reason) for reason in reasons[:MAX_REASONS]]
            _log.warning("rejected %s: %s", hello.actor_id, "; ".join(reasons))
            return Reject(reasons)
        _log.info("accepted %s, session %s, from seq %d", hello.actor_id, hello.session_id, next_seq)
        weights_bytes = len(self.newest_weights or b"")
        status = self.status(hello.session_id)
        return Accept(spec, self.learner_epoch, next_seq, status, weights_bytes, self.identity)

    def records(self, session_id: str, first_seq: int, count: int, frame: bytes) -> Ack:
        """Store the new ones of `count` sealed records from `first_seq` on; return the acknowledgement.

        Raises:
            UnknownSessionError: Not accepted, or expired.
            WireError: The frame is not `count` sound records of the session's schema.
            OSError: The disk is full; nothing is acknowledged.
        """
        crashpoint("intake.records.before")
        with self._lock:
            taken = self._sessions.heard(session_id).take(first_seq, count, frame)
            if taken.banned:
                self.bye(session_id)
        crashpoint("intake.records.stored")
        return self._announce(session_id, taken)

    def lost(self, session_id: str, lost: Lost) -> Ack:
        """Store lost records for those that the actor cannot send; return the acknowledgement.

        Raises:
            UnknownSessionError: Not accepted, or expired.
            WireError: More records than one message could carry.
            OSError: The disk is full; nothing is acknowledged.
        """
        with self._lock:
            taken = self._sessions.heard(session_id).take_lost(lost, self.config.max_frame_bytes)
        return self._announce(session_id, taken)

    def _announce(self, session_id: str, taken: Taken) -> Ack:
        """Tell the sinks what was stored and repaired; return the acknowledgement."""
        # Outside the lock: a thread that the learner's functions wait for may itself wait for `readers`.
        if taken.news:
            for sink in self.sinks:
                sink(session_id, taken.news.start, taken.news.stop)
        if taken.mended:
            for mended_sink in self.mended_sinks:
                mended_sink(session_id, taken.mended)
        return Ack(taken.next_seq, self.status(session_id))

    def wanted(self, session_id: str) -> Wanted | None:
        """Return the records of an open session to ask its actor for again; None if there are none."""
        with self._lock:
            return self._quarantine.wanted(session_id) if session_id in self._sessions else None

    def report_damage(self, session_id: str, numbers: Collection[int]) -> None:
        """Take in records of a session's log that turned out to be damaged; the actor is asked for them."""
        with self._lock:
            self._quarantine.report(session_id, numbers)

    def quarantined(self) -> int:
        """Return the number of records that are damaged, lost or unfit, as far as it is known since this start."""
        with self._lock:
            return self._quarantine.total()

    def heartbeat(self, session_id: str) -> Status:
        """Note a sign of life; return the learner's status.

        Raises:
            UnknownSessionError: Not accepted, or expired.
        """
        with self._lock:
            self._sessions.heard(session_id)
        return self.status(session_id)

    def bye(self, session_id: str) -> None:
        """Close a session that leaves; its log stays."""
        with self._lock:
            session = self._sessions.pop(session_id)
            if session is not None:
                with self._sessions.deaf():
                    session.writer.close()  # syncs
                self._stored.durable[session_id] = session.writer.next_seq
                _log.info("%s left, session %s", session.actor_id, session_id)

    def expire(self) -> None:
        """Close the sessions that have been silent for too long."""
        with self._lock:
            for name in self._sessions.silent():
                _log.warning("session %s: silent for %.1f s, closed until it says HELLO", name, self.config.liveness_s)
                self._bye_or_log(name)

    def _bye_or_log(self, session_id: str) -> None:
        try:
            self.bye(session_id)
        except OSError as error:  # its log is opened and checked again when it comes back
            _log.error("session %s: its log could not be sealed (%s)", session_id, error)

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
            damaged, durable_seq = self._quarantine.first_damaged(session_id), self._stored.durable.get(session_id, 0)
            quarantined = self._quarantine.count(session_id)
        if damaged is not None:  # until it is repaired, the actor's copy may be the only one
            durable_seq = min(durable_seq, damaged)
        facts = {"durable_seq": durable_seq, "quarantined": quarantined}
        return msgspec.structs.replace(self._learner_status(session_id), **facts)

    def next_seq(self, session_id: str) -> int:
        """Return the first record of a session that is not stored."""
        with self._lock:
            return self._receiver.next_seq(session_id)

    def readers(self) -> list[LogReader]:
        """Return one reader per session of the run, open or not: always the same ones, new sessions last.

        They belong to the one thread that calls this, which must `refresh` them to see new records.
        """
        with self._lock:
            return list(self._stored.readers.values())

    def sync(self) -> None:
        """Return when everything stored so far survives a power cut; only then may actors forget it.

        Raises:
            OSError: A disk refused; its records are not reported as durable.
        """
        with self._lock:
            stored = {name: (one.writer, one.writer.next_seq) for name, one in self._sessions.items()}
        for name, (writer, next_seq) in stored.items():
            if next_seq > self._stored.durable.get(name, 0) and writer.sync():
                crashpoint("intake.synced")
                with self._lock:
                    self._stored.durable[name] = max(next_seq, self._stored.durable.get(name, 0))

    def close(self) -> None:
        """Close every session, and the files of the readers; data that they have mapped stay readable."""
        with self._lock:
            try:
                for name in list(self._sessions):
                    self._bye_or_log(name)
            finally:
                self._stored.close()

    def _objections(self, hello: Hello) -> list[str]:
        """Return the reasons against a HELLO."""
        if reasons := self._terms.mistakes(hello):
            return reasons
        with self._lock:
            self.expire()
            reasons = self._terms.objections(hello)
            reasons += self._limits.objections(hello.session_id, hello.actor_id, self._sessions, self._stored.readers)
            reasons += self._quarantine.objections(hello.actor_id)
            reasons += self._sessions.objections(hello)
        return reasons

    def _open(self, hello: Hello) -> int:
        """Open the session's log, or find it open; return the first record that it does not have."""
        with self._lock:
            session = self._sessions.get(hello.session_id)
            if session is None:
                is_new = hello.session_id not in self._stored.readers
                with self._sessions.deaf():
                    writer = self._stored.open(hello)
                if is_new:
                    self._limits.count(hello.actor_id)
                session = OpenSession(hello, writer, self._receiver, self._quarantine, self._clock.now_ns())
                self._sessions.add(session)
                crashpoint("intake.opened")
            session.heard_ns = self._clock.now_ns()
            missing = range(session.writer.next_seq, hello.first_seq)
            if missing:
                lost = f"{missing.start} to {missing.stop - 1}"
                _log.error("session %s: its actor has lost records %s, which never arrived", hello.session_id, lost)
                session.writer.skip_to(hello.first_seq)
            write_identity(self.folder / hello.session_id, hello.identity.of_run(self.identity))
            self._terms.take(hello)
            self._receiver.on_stored(hello.session_id, session.writer.next_seq)
            return session.writer.next_seq

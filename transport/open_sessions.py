"""The open sessions of a learner: those whose actors have said HELLO, and have neither left nor fallen silent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from steadyhand.runtime.clock import Clock
from steadyhand.transport.open_session import OpenSession
from steadyhand.transport.wire import Hello

__all__ = ["OpenSessions", "UnknownSessionError"]

NS_PER_S = 1_000_000_000


class UnknownSessionError(RuntimeError):
    """A message of a session that was not accepted, or that has expired: it must say HELLO."""


class OpenSessions(Mapping[str, OpenSession]):
    """The open sessions by id; the intake's lock guards them.

    Args:
        liveness_s: Silence after which a session is to be closed.
        clock: Measures silence.
    """

    def __init__(self, liveness_s: float, clock: Clock) -> None:
        self._liveness_s, self._clock = liveness_s, clock
        self._by_id: dict[str, OpenSession] = {}

    def __getitem__(self, session_id: str) -> OpenSession:
        return self._by_id[session_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, session: OpenSession) -> None:
        """Take in a session that was accepted."""
        self._by_id[session.session_id] = session

    def pop(self, session_id: str) -> OpenSession | None:
        """Take out a session; return it, or None if it is not open."""
        return self._by_id.pop(session_id, None)

    def heard(self, session_id: str) -> OpenSession:
        """Note a sign of life of a session; return the session.

        Raises:
            UnknownSessionError: Not accepted, or expired.
        """
        session = self._by_id.get(session_id)
        if session is None:
            raise UnknownSessionError(f"session {session_id}: not accepted; say HELLO first")
        session.heard_ns = self._clock.now_ns()
        return session

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """Wait for the disk, which takes up to seconds, without taking that for silence of the actors.

        Their signs of life wait in the socket meanwhile. Were their sessions closed for it, opening these again would
        take the same time once more: many actors that start at once would never all be connected.
        """
        began_ns = self._clock.now_ns()
        try:
            yield
        finally:
            deaf_ns = self._clock.now_ns() - began_ns
            for session in self._by_id.values():
                session.heard_ns += deaf_ns

    def silent(self) -> list[str]:
        """Return the ids of the sessions that have been silent for too long."""
        silent_ns, now_ns = round(self._liveness_s * NS_PER_S), self._clock.now_ns()
        return [name for name, one in self._by_id.items() if now_ns - one.heard_ns >= silent_ns]

    def objections(self, hello: Hello) -> list[str]:
        """Return the reasons against a HELLO: its session is another one, or its actor holds another one."""
        reasons = []
        for name, other in self._by_id.items():
            if name == hello.session_id and (other.writer.schema != hello.schema or other.actor_id != hello.actor_id):
                reasons.append(f"session_id {name}: held with another schema or actor_id; start a new session")
            elif name != hello.session_id and other.actor_id == hello.actor_id:
                reasons.append(
                    f"actor_id {hello.actor_id}: held by session {name}, which is alive; "
                    f"stop it, or try again when it has been silent for {self._liveness_s:.1f} s"
                )
        return reasons

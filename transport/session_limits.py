"""Limits of the sessions that peers may open, and of the schemas that they may bring."""

from __future__ import annotations

from collections.abc import Collection

from steadyhand.runtime.clock import Clock
from steadyhand.transport.rate_limit import RateLimit
from steadyhand.transport.record import record_dtype
from steadyhand.transport.schema import Schema

__all__ = ["MAX_NEW_SESSIONS", "MAX_SESSIONS", "SessionLimits", "schema_objections"]

MAX_SESSIONS = 64  # open at once
MAX_NEW_SESSIONS, MAX_NEW_IN_ALL, WINDOW_S = 32, 256, 60.0  # of one actor, and of all, within the window
MAX_VECTOR = 65_536  # elements of an observation's vector: a policy has weights for each
MAX_ACTION = 1024  # elements of an action, and of a gated command


class SessionLimits:
    """Counts new sessions: each one costs files."""

    def __init__(self, clock: Clock) -> None:
        self._by_actor = RateLimit(MAX_NEW_SESSIONS, WINDOW_S, MAX_SESSIONS, clock)
        self._in_all = RateLimit(MAX_NEW_IN_ALL, WINDOW_S, 1, clock)

    def count(self, actor_id: str) -> None:
        """Count a new session of an actor."""
        self._by_actor.count(actor_id)
        self._in_all.count("")

    def objections(self, session_id: str, actor_id: str, opened: Collection[str], known: Collection[str]) -> list[str]:
        """Return the reasons against a session, given the ids of the open sessions and of all that have a log."""
        reasons = []
        if session_id not in opened and len(opened) >= MAX_SESSIONS:
            reasons.append(f"sessions: expected at most {MAX_SESSIONS} at once; try again when one has ended")
        if session_id not in known and self._by_actor.exceeded(actor_id):
            most = f"{MAX_NEW_SESSIONS} new ones within {WINDOW_S:.0f} s"
            reasons.append(f"sessions: expected at most {most} of an actor; go on with an earlier one, or wait")
        elif session_id not in known and self._in_all.exceeded(""):
            reasons.append(f"sessions: expected at most {MAX_NEW_IN_ALL} new ones within {WINDOW_S:.0f} s; wait")
        return reasons


def schema_objections(schema: Schema, max_frame_bytes: int) -> list[str]:
    """Return the reasons against a schema whose records or policies would take too much memory."""
    for field in schema.observation:
        if not field.is_image and field.shape[0] > MAX_VECTOR:
            return [f"observation {field.name}: expected at most {MAX_VECTOR} elements, found {field.shape[0]}"]
    for name, size in (("action", schema.action.shape[0]), ("command_size", schema.command_size)):
        if size > MAX_ACTION:
            return [f"{name}: expected at most {MAX_ACTION} elements, found {size}"]
    size = record_dtype(schema).itemsize
    if size > max_frame_bytes:
        return [f"record: expected at most max_frame_bytes = {max_frame_bytes}, found {size}"]
    return []

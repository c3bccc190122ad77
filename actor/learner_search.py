"""The search for the learner at the start of a run: the actor introduces itself until it is accepted."""

from __future__ import annotations

from collections.abc import Callable

from steadyhand.actor.session_log import Session
from steadyhand.runtime.logging import get_logger
from steadyhand.transport.uplink import Behind, Uplink
from steadyhand.transport.wire import Accept, Hello

__all__ = ["find_learner"]

CONNECT_S = 1.0  # of one attempt; a stop is noticed after it

logger = get_logger("actor.online_run")


def find_learner(
    uplink: Uplink, session: Session, timeout_s: float, wall_s: Callable[[], float], stop: Callable[[], bool]
) -> Accept | None:
    """Connect to the learner; return its answer, or None when a stop was requested first.

    Args:
        uplink: Link to the learner, over the session's log.
        session: The log. Records that the learner has and the log lacks are skipped.
        timeout_s: Time for the whole search, actor.uplink_timeout_s.
        wall_s: Returns the time since its start [s].
        stop: Returns whether a stop was requested.

    Raises:
        Rejected: The learner does not fit.
        TimeoutError: There is no learner.
    """
    hello = Hello.of(session.schema, session.actor_id, session.session_id, session.identity)
    while not stop():
        left_s = timeout_s - wall_s()
        try:
            return uplink.connect(hello, min(CONNECT_S, max(left_s, 0.0)))
        except Behind as behind:
            logger.warning("%s", behind)
            session.writer.skip_to(behind.next_seq)
        except TimeoutError as error:
            if left_s <= CONNECT_S:
                raise type(error)(f"{error} (tried for {timeout_s:.0f} s, actor.uplink_timeout_s)") from error
    return None

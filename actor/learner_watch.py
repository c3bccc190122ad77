"""A watch on the learner's progress: a learner that hangs may still answer."""

from __future__ import annotations

from steadyhand.actor.events import Events, LearnerChanged
from steadyhand.runtime.clock import Clock
from steadyhand.runtime.logging import get_logger
from steadyhand.transport.uplink import Progress

__all__ = ["LearnerWatch"]

logger = get_logger("actor.learner_watch")


class LearnerWatch:
    """Reports once when an online learner takes records but makes no updates, or is gone.

    A learner that waits for records, or has finished, is not reported.

    Args:
        stall_s: Time without an update from which on it counts as stalled; None = never.
        clock: Monotonic.
        events: Gets every change of the learner's state.
    """

    def __init__(self, stall_s: float | None, clock: Clock, events: Events | None = None) -> None:
        self.stalled = False
        self._events, self._told = events or Events(), LearnerChanged("", False, False)
        self._stall_s, self._clock = stall_s, clock
        self._updates = -1
        self._seq = 0
        self._since_ns = clock.now_ns()

    def look(self, progress: Progress) -> bool:
        """Take in the learner's last report; return whether the learner counts as stalled."""
        idle = progress.connected and (progress.learner_phase != "online" or progress.next_seq == self._seq)
        if progress.updates != self._updates or idle:
            if self.stalled:
                logger.info("learner: it makes progress again")
            self.stalled, self._updates, self._seq = False, progress.updates, progress.next_seq
            self._since_ns = self._clock.now_ns()
            self.tell(progress)
            return False
        for_s = (self._clock.now_ns() - self._since_ns) / 1e9
        if self._stall_s is not None and for_s > self._stall_s and not self.stalled:
            self.stalled = True
            how = "it answers and takes records" if progress.connected else "it does not answer"
            logger.error("learner: no update for %.0f s (%s); look at its log, or start it again", for_s, how)
        self.tell(progress)
        return self.stalled

    def tell(self, progress: Progress) -> None:
        """Emit the learner's state when it has changed."""
        state = LearnerChanged(progress.learner_phase, progress.connected, self.stalled)
        if state != self._told:
            self._told = state
            self._events.emit(state)

"""The operator's label of a finished episode, given with the keys of a verdict before the next episode begins."""

from __future__ import annotations

from collections.abc import Callable

from steadyhand.actor.control_loop import EpisodeSummary
from steadyhand.actor.events import EpisodeBegan, Events, VerdictGiven, Waiting
from steadyhand.actor.pause import pause
from steadyhand.actor.supervision.motion_enable import MotionEnable, Verdict

__all__ = ["Labeller", "OperatorLabel"]

# Takes a finished episode and returns the operator's verdict; "reset" = run it again; None = no label.
Labeller = Callable[[EpisodeSummary], Verdict | None]


class OperatorLabel:
    """Waits after an episode for the operator's verdict on it.

    No label is asked for an episode that the operator ended with a verdict, or that a stop ended. A stop while it waits
    ends the wait: the episode keeps the machine's verdict.

    Args:
        motion: Takes the operator's verdicts.
        events: Gets the wait, and the label.
        stop: Returns True when the wait is to end.
    """

    def __init__(self, motion: MotionEnable, events: Events, stop: Callable[[], bool]) -> None:
        self._motion, self._events, self._stop = motion, events, stop
        self._given = False  # whether the operator has ended the episode with a verdict
        events.subscribe(EpisodeBegan, self._begin)
        events.subscribe(VerdictGiven, self._note)

    def __call__(self, summary: EpisodeSummary) -> Verdict | None:
        """Return the operator's verdict on the episode that has just ended."""
        if self._given or summary.stop_reason:
            return None
        self._motion.pop_verdict()
        self._events.emit(Waiting("the operator's label: success, failure, or again without a label"))
        verdict = None
        while verdict is None and self._motion.enabled and not self._stop():
            pause()
            verdict = self._motion.pop_verdict()
        self._events.emit(Waiting(""))
        if verdict is not None:
            self._events.emit(VerdictGiven(verdict))
        return verdict

    def _begin(self, event: EpisodeBegan) -> None:
        self._given = False

    def _note(self, event: VerdictGiven) -> None:
        self._given = True

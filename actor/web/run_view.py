"""The state of a run as the operator page shows it, gathered from the events of the run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from steadyhand.actor.control_loop import INTERRUPTED
from steadyhand.actor.events import (
    AuthorityChanged,
    BreakBegan,
    BreakEnded,
    Countdown,
    DemoCounted,
    EpisodeBegan,
    EpisodeEnded,
    Events,
    Fault,
    FaultRecovered,
    LearnerChanged,
    MotionDisabled,
    MotionEnabled,
    PolicyLoaded,
    RequestRefused,
    StepEnded,
    StopCleared,
    StopLatched,
    VerdictGiven,
    Waiting,
)
from steadyhand.actor.web.pictures import Pictures
from steadyhand.runtime.clock import Clock

__all__ = ["RunView"]

KEPT = 200  # episodes of the curves
LINES = 8  # newest lines of the protocol


class RunView:
    """Subscriber of a run's events. The emitting thread writes, the page's thread reads.

    Every field is replaced as a whole, so a reader sees no half-written value.

    Args:
        events: The events of the run.
        pictures: Gets every observation.
        clock: Monotonic.
        changed: Called after every event; it must return at once.
    """

    def __init__(self, events: Events, pictures: Pictures, clock: Clock, changed: Callable[[], None]) -> None:
        self._pictures, self._clock, self._changed = pictures, clock, changed
        self._holder, self._waiting, self._stop, self._fault = "nobody", "", "", ""
        self._parked, self._countdown_s = False, 0
        self._episode, self._steps = -1, 0
        self._episodes: tuple[tuple[bool, bool], ...] = ()  # success, helped
        self._finished = 0
        self._demos: dict[str, Any] | None = None
        self._learner: dict[str, Any] | None = None
        self._policy: tuple[int, int] | None = None  # version, and when it was loaded
        self._lines: tuple[tuple[int, str], ...] = ()
        self._noting = threading.Lock()  # a stop comes from another thread than the loop's events
        for kind, handler in self._handlers().items():
            events.subscribe(kind, handler)

    def snapshot(self) -> dict[str, Any]:
        """Return the state for the page, ready for JSON."""
        now_ns, policy, lines = self._clock.now_ns(), self._policy, self._lines
        return {
            "holder": self._holder,
            "waiting": self._waiting,
            "stop": self._stop,
            "fault": self._fault,
            "parked": self._parked,
            "countdown_s": self._countdown_s,
            "episode": self._episode,
            "steps": self._steps,
            "episodes": [[int(success), int(helped)] for success, helped in self._episodes],
            "finished": self._finished,
            "demos": self._demos,
            "learner": self._learner,
            "policy": None if policy is None else {"version": policy[0], "age_s": (now_ns - policy[1]) / 1e9},
            "lines": [[(now_ns - stamp_ns) / 1e9, text] for stamp_ns, text in lines],
        }

    def _handlers(self) -> dict[type[Any], Callable[[Any], None]]:
        return {
            AuthorityChanged: self._on_authority,
            BreakBegan: self._on_break,
            BreakEnded: self._on_break_end,
            Countdown: self._on_countdown,
            DemoCounted: self._on_demo,
            EpisodeBegan: self._on_begin,
            EpisodeEnded: self._on_end,
            Fault: self._on_fault,
            FaultRecovered: self._on_recovery,
            LearnerChanged: self._on_learner,
            MotionDisabled: self._on_disabled,
            MotionEnabled: self._on_enabled,
            PolicyLoaded: self._on_policy,
            RequestRefused: self._on_refusal,
            StepEnded: self._on_step,
            StopCleared: self._on_clear,
            StopLatched: self._on_stop,
            VerdictGiven: self._on_verdict,
            Waiting: self._on_waiting,
        }

    def _note(self, line: str) -> None:
        with self._noting:
            self._lines = (*self._lines, (self._clock.now_ns(), line))[-LINES:]
        self._changed()

    def _on_step(self, event: StepEnded) -> None:
        self._pictures.put(event.observation, self._clock.now_ns())
        self._steps = event.steps
        self._changed()

    def _on_begin(self, event: EpisodeBegan) -> None:
        self._episode, self._steps, self._stop, self._waiting = event.episode_id, 0, "", ""
        if event.observation is not None:
            self._pictures.put(event.observation, self._clock.now_ns())
        self._changed()

    def _on_end(self, event: EpisodeEnded) -> None:
        summary = event.summary
        if summary.stop_reason == INTERRUPTED:
            return
        if not summary.discarded:
            self._episodes = (*self._episodes, (summary.success, summary.helped))[-KEPT:]
            self._finished += 1
        outcome = "discarded" if summary.discarded else event.outcome
        self._note(f"episode {summary.episode_id + 1}: {outcome} after {summary.steps} steps")

    def _on_authority(self, event: AuthorityChanged) -> None:
        self._holder = event.holder
        self._changed()

    def _on_break(self, event: BreakBegan) -> None:
        self._parked = True
        self._note("parked")

    def _on_break_end(self, event: BreakEnded) -> None:
        self._parked = False
        self._note("the break is over")

    def _on_countdown(self, event: Countdown) -> None:
        self._countdown_s = event.left_s
        self._changed()

    def _on_demo(self, event: DemoCounted) -> None:
        self._demos = {"successes": event.successes, "wanted": event.wanted, "quality": event.quality}
        self._note(f"attempt {event.attempt + 1} {event.fate}: {event.quality}")

    def _on_stop(self, event: StopLatched) -> None:
        self._stop = event.reason
        self._note(f"stopped: {event.reason}")

    def _on_clear(self, event: StopCleared) -> None:
        self._stop = ""
        self._changed()

    def _on_fault(self, event: Fault) -> None:
        self._fault = event.text
        self._note(f"fault: {event.text}")

    def _on_recovery(self, event: FaultRecovered) -> None:
        self._fault = ""
        self._note("recovered from the fault")

    def _on_enabled(self, event: MotionEnabled) -> None:
        self._note("motion enabled")

    def _on_disabled(self, event: MotionDisabled) -> None:
        self._note(f"motion disabled: {event.reason}")

    def _on_verdict(self, event: VerdictGiven) -> None:
        self._note(f"verdict of the person: {event.verdict}")

    def _on_refusal(self, event: RequestRefused) -> None:
        self._note(f"{event.request} refused: {event.objection}")

    def _on_waiting(self, event: Waiting) -> None:
        self._waiting = event.reason
        self._changed()

    def _on_learner(self, event: LearnerChanged) -> None:
        self._learner = {"phase": event.phase, "connected": event.connected, "stalled": event.stalled}
        self._changed()

    def _on_policy(self, event: PolicyLoaded) -> None:
        self._policy = event.policy_version, self._clock.now_ns()
        self._changed()

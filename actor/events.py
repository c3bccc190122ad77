"""The events of a run, and their subscribers.

The loop, the supervision of the arm and the training emit; consoles, the metrics file and the ROS publishers subscribe.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from numpy.typing import NDArray

from steadyhand.runtime.logging import get_logger
from steadyhand.transport.record import Phase

if TYPE_CHECKING:
    from steadyhand.actor.control_loop import EpisodeSummary

__all__ = [
    "ActionChosen",
    "AuthorityChanged",
    "BreakBegan",
    "BreakEnded",
    "Countdown",
    "DemoCounted",
    "EpisodeBegan",
    "EpisodeEnded",
    "EpisodeLogged",
    "Event",
    "Events",
    "Fault",
    "FaultRecovered",
    "LearnerChanged",
    "MotionDisabled",
    "MotionEnabled",
    "PolicyLoaded",
    "RequestRefused",
    "StepEnded",
    "StopCleared",
    "StopLatched",
    "VerdictGiven",
    "Waiting",
]

logger = get_logger("actor.events")


class EpisodeBegan(NamedTuple):
    """The environment was reset."""

    episode_id: int
    phase: Phase
    stamp_ns: int  # control time
    observation: Mapping[str, NDArray[Any]] | None = None  # after the reset; valid until the first step


class ActionChosen(NamedTuple):
    """The action of one step, before it goes to the environment. Actions are (A,) in [-1, 1]."""

    action: NDArray[Any]  # as sent, ramp included
    policy_action: NDArray[Any] | None
    human_action: NDArray[Any] | None
    has_human: bool
    holds: bool  # the robot stands still because neither policy nor person may act


class AuthorityChanged(NamedTuple):
    """The authority over the robot has passed to another holder."""

    holder: Literal["person", "policy", "nobody"]


class StepEnded(NamedTuple):
    """One control period is over."""

    episode_id: int
    steps: int  # of the episode so far
    observation: Mapping[str, NDArray[Any]]  # after the step; valid until the next one
    reward: float
    stamp_ns: int  # control time


class EpisodeEnded(NamedTuple):
    """An episode is over, `interrupted` ones included."""

    summary: EpisodeSummary
    outcome: str  # success | failure | truncated, or the stop reason


class EpisodeLogged(NamedTuple):
    """An episode of training was counted; the row is the one of `metrics/actor.jsonl`."""

    row: Mapping[str, Any]


class StopLatched(NamedTuple):
    """An episode ended with a stop of the robot."""

    reason: str


class StopCleared(NamedTuple):
    """The operator has confirmed that it is safe to go on after this stop."""

    reason: str


class MotionEnabled(NamedTuple):
    """A person has enabled motion."""


class MotionDisabled(NamedTuple):
    """Motion is no longer enabled."""

    reason: str


class VerdictGiven(NamedTuple):
    """A person's verdict on the running episode took effect."""

    verdict: Literal["success", "failure", "reset"]


class RequestRefused(NamedTuple):
    """A person's request had no effect."""

    request: str
    objection: str


class BreakBegan(NamedTuple):
    """The arm is parked; it waits for the person."""


class BreakEnded(NamedTuple):
    """The person has ended the break."""


class Waiting(NamedTuple):
    """The robot does not move until the named condition holds; "" = the wait is over."""

    reason: str


class Countdown(NamedTuple):
    """The robot begins to move in so many seconds; 0 = now, or not at all."""

    left_s: int


class DemoCounted(NamedTuple):
    """An attempt at a demonstration is over and counted."""

    attempt: int  # of the set, from 0
    kept: Literal["demonstration", "failed attempt", "examples", "nothing"]
    successes: int  # demonstrations in the set
    wanted: int
    quality: str  # one line about the attempt; "" without steps

    @property
    def fate(self) -> str:
        """The place of the attempt, in words."""
        return "not kept" if self.kept == "nothing" else f"kept as {self.kept}"


class PolicyLoaded(NamedTuple):
    """The policy acts with other weights from now on."""

    learner_epoch: int
    policy_version: int


class LearnerChanged(NamedTuple):
    """The state of the learner has changed."""

    phase: str
    connected: bool
    stalled: bool


class Fault(NamedTuple):
    """Robot, log or process cannot go on without a repair."""

    text: str


class FaultRecovered(NamedTuple):
    """A person has recovered the robot from its fault."""


Event = (
    EpisodeBegan
    | ActionChosen
    | AuthorityChanged
    | StepEnded
    | EpisodeEnded
    | EpisodeLogged
    | StopLatched
    | StopCleared
    | MotionEnabled
    | MotionDisabled
    | VerdictGiven
    | RequestRefused
    | BreakBegan
    | BreakEnded
    | Waiting
    | Countdown
    | DemoCounted
    | PolicyLoaded
    | LearnerChanged
    | Fault
    | FaultRecovered
)
E = TypeVar("E", bound=Event)
Handler = Callable[[Any], object]


class Events:
    """A list of subscribers by kind of event. Any thread may emit and subscribe.

    A handler runs on the emitting thread, which may be the control loop, and has to return at once. `emit` takes no
    lock: it walks over a tuple that `subscribe` replaces as a whole. An event without a subscriber costs one
    look-up; the loop asks `wants` before it builds an event of every step.

    A subscriber that raises is reported once and gets no further event; the emitter goes on.
    """

    def __init__(self) -> None:
        self._handlers: dict[type[Any], tuple[Handler, ...]] = {}
        self._changing = threading.Lock()  # among subscribers; never held while one is called

    def subscribe(self, kind: type[E], handler: Callable[[E], object]) -> None:
        """Call `handler` with every event of `kind` from now on, after the existing handlers."""
        with self._changing:
            self._handlers[kind] = (*self._handlers.get(kind, ()), handler)

    def unsubscribe(self, owner: object) -> None:
        """Forget a handler, or all handlers that are methods of `owner`."""
        with self._changing:
            for kind, handlers in list(self._handlers.items()):
                self._handlers[kind] = tuple(handler for handler in handlers if _owner(handler) is not owner)

    def wants(self, kind: type[Event]) -> bool:
        """Return True when an event of `kind` has a subscriber."""
        return bool(self._handlers.get(kind))

    def emit(self, event: Event) -> None:
        """Call every subscriber of the event's kind, in the order of their subscription."""
        for handler in self._handlers.get(type(event), ()):
            try:
                handler(event)
            except Exception as error:
                self._drop(handler, event, error)

    def _drop(self, handler: Handler, event: Event, error: Exception) -> None:
        owner = _owner(handler)
        self.unsubscribe(owner)
        name = getattr(owner, "__qualname__", type(owner).__name__)
        logger.error(
            "%s: failed on %s (%s: %s); it gets no further events",
            name,
            type(event).__name__,
            type(error).__name__,
            error,
        )


def _owner(handler: Handler) -> object:
    """Return the object whose method a handler is; a plain function is its own."""
    return getattr(handler, "__self__", handler)

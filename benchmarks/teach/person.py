"""The person: eyes on the cell and on the page, one hand at the SpaceMouse, the other at the mouse of the computer.

The person reacts late, misjudges, trembles, lets go late, presses a gripper button for no reason, and begins anew when
an attempt went wrong.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.teach.sight import Sight
from benchmarks.teach.skill import InsertionSkill
from steadyhand.runtime.clock import MonotonicClock

__all__ = ["Habits", "Hand", "Page", "Person", "View"]

LOOK_S = 0.15  # between two looks at the page
HAND_S = 0.02  # between two movements of the hand
ENABLE = "Enable"  # in the line at the top, while the robot waits for it
DEPTH_M = 0.018  # of a finished insertion
IN_THE_AIR_M, STILL_M = 0.006, 0.0005
WRONG = 0.6  # deflection of a wrong movement
CLOSE_BUTTON = 0
BUSY_S = 30.0  # time after which an Enable that had no effect is pressed again


class Hand(Protocol):
    """A device in the hand."""

    def push(self, twist: NDArray[np.float64]) -> None:
        """Deflect the cap. Shape (6,), in [-1, 1], in the tool frame."""

    def let_go(self) -> None:
        """Let the cap spring back."""

    def press(self, button: int, down: bool) -> None:
        """Press or release a button of the device."""


@dataclass(frozen=True)
class View:
    """The part of the page that the person reads.

    Attributes:
        banner: The line at the top.
        operates: This page operates.
        steps: Step of the running episode.
        lines: The newest events, the newest first.
    """

    banner: str
    operates: bool
    steps: int
    lines: tuple[str, ...]


class Page(Protocol):
    """The operator page, as a person uses it."""

    def look(self) -> View:
        """Read it."""

    def take_control(self) -> None:
        """Press `Take control`."""

    def press(self, request: str) -> None:
        """Press a button by its request, such as `resume`."""


@dataclass(frozen=True)
class Habits:
    """Times and errors of a person; spans are [shortest, longest].

    Attributes:
        sight_s: Age of what the hand acts upon.
        react_s: From a sight to the beginning of a movement or press.
        botch_share: Share of demonstrations that begin with a wrong movement, and are discarded.
        botch_s: Duration of the wrong movement, until the press of `again`.
        grip_share: Share of demonstrations in which the gripper is pressed for no reason.
        grip_s: Duration of that press.
        doubt_s: Time without a motion of the pushed arm after which the person lets go, and pushes again.
        give_up_s: Duration of a demonstration after which the person calls it a failure.
        stall_s: Time without progress after which a correction is decided.
        stall_m: Progress that counts as none over it.
        late_share: Share of corrections that come late.
        late_s: Additional time of these.
        correct_s: Duration of a correction.
        leave_depth_m: Depth of the peg at which the person lets the policy finish.
    """

    sight_s: float = 0.15
    react_s: tuple[float, float] = (0.25, 0.6)
    botch_share: float = 0.15
    botch_s: tuple[float, float] = (0.6, 1.2)
    grip_share: float = 0.2
    grip_s: tuple[float, float] = (0.08, 0.25)
    doubt_s: float = 0.8
    give_up_s: float = 7.0
    stall_s: float = 1.5
    stall_m: float = 0.002
    late_share: float = 0.25
    late_s: tuple[float, float] = (0.5, 1.5)
    correct_s: tuple[float, float] = (1.0, 3.0)
    leave_depth_m: float = 0.008


class Person:
    """Records, corrects and watches until the program that serves the page ends.

    Args:
        habits: Times and errors.
        skill: The hand's skill.
        sight: The eyes.
        hand: The device.
        page: The page.
        seed: Of the person's chance.

    Attributes:
        counts: Number of each deed.
    """

    def __init__(self, habits: Habits, skill: InsertionSkill, sight: Sight, hand: Hand, page: Page, seed: int) -> None:
        self.habits, self.skill, self.sight, self.hand, self._page = habits, skill, sight, hand, page
        self.rng, self.clock = np.random.default_rng(seed), MonotonicClock()
        self.view = View("", False, 0, ())
        self.counts: Counter[str] = Counter()
        self._moves = _Moves(self)
        self._enabled_ns: int | None = None  # when Enable was pressed last, without an effect so far

    def demonstrate(self, is_over: threading.Event) -> None:
        """Record demonstrations until the program ends."""
        self._attend(is_over, self._moves.demonstrate)

    def correct(self, is_over: threading.Event) -> None:
        """Watch the policy, and help it when it gets nowhere, until the program ends."""
        self._attend(is_over, self._moves.correct)

    def watch(self, is_over: threading.Event) -> None:
        """Start an evaluation, and keep the hands off until the program ends."""
        self._attend(is_over, lambda is_over: None)

    def span(self, span: tuple[float, float]) -> float:
        """Draw a time [s] from a span."""
        return float(self.rng.uniform(*span))

    def happens(self, share: float) -> bool:
        """Draw whether a thing of this share happens."""
        return bool(self.rng.random() < share)

    def click(self, request: str) -> None:
        """Press a button of the page, and count it."""
        self.counts[request] += 1
        self._page.press(request)

    def _attend(self, is_over: threading.Event, moves: Callable[[threading.Event], None]) -> None:
        hand = threading.Thread(target=moves, args=(is_over,), daemon=True)
        hand.start()
        while not is_over.wait(LOOK_S):
            self.view = self._page.look()
            self._mind(self.view, is_over)
        hand.join(10.0)
        self.hand.let_go()

    def _mind(self, view: View, is_over: threading.Event) -> None:
        """React to the page."""
        needs_enable = ENABLE in view.banner and not view.banner.startswith("the robot holds")
        if not view.operates:
            if view.banner and "connect" not in view.banner:
                is_over.wait(self.span(self.habits.react_s))
                self.counts["take control"] += 1
                self._page.take_control()
        elif not needs_enable:
            self._enabled_ns = None
        elif self._enabled_ns is None or self.clock.now_ns() - self._enabled_ns > BUSY_S * 1e9:
            is_over.wait(self.span(self.habits.react_s))
            self._enabled_ns = self.clock.now_ns()
            self.click("resume")


class _Moves:
    """The hand at the SpaceMouse."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._place = np.zeros(3)  # of the hole, in the attempt that the person knows

    def demonstrate(self, is_over: threading.Event) -> None:
        person, habits = self._person, self._person.habits
        again = False
        while not is_over.is_set():
            if not again and not self._begins(is_over):
                continue
            is_over.wait(person.span(habits.react_s))
            if person.happens(habits.grip_share):
                self._grip(is_over)
            if again := person.happens(habits.botch_share):
                self._botch(is_over)
            elif not self._push(is_over, habits.give_up_s) and not is_over.is_set():
                person.click("failure")

    def correct(self, is_over: threading.Event) -> None:
        person, habits = self._person, self._person.habits
        while not is_over.wait(HAND_S):
            if self._is_new() or not self._is_stuck():
                continue
            is_over.wait(person.span(habits.react_s))
            if person.happens(habits.late_share):
                person.counts["late correction"] += 1
                is_over.wait(person.span(habits.late_s))
            person.counts["correction"] += 1
            self._push(is_over, person.span(habits.correct_s), habits.leave_depth_m)
            self._watch(is_over, habits.stall_s)

    def _begins(self, is_over: threading.Event) -> bool:
        """Return whether a new attempt begins now, or within a moment."""
        is_over.wait(HAND_S)
        return self._is_new()

    def _is_new(self) -> bool:
        seen = self._person.sight.ago(self._person.habits.sight_s)
        if seen is None or np.array_equal(seen.place, self._place):
            return False
        self._place = seen.place
        self._person.skill.begin()
        return True

    def _is_stuck(self) -> bool:
        """Return whether the arm moves about, and came no nearer to the end."""
        habits, sight = self._person.habits, self._person.sight
        now, before = sight.ago(habits.sight_s), sight.ago(habits.sight_s + habits.stall_s)
        if now is None or before is None or not np.array_equal(now.place, before.place):
            return False
        is_fresh = sight.ago(0.0).at_ns > now.at_ns  # type: ignore[union-attr]  # the arm waits otherwise
        return is_fresh and left_m(before.hole) - left_m(now.hole) < habits.stall_m

    def _push(self, is_over: threading.Event, longest_s: float, leave_depth_m: float = DEPTH_M) -> bool:
        """Push until the attempt is over, the peg is deep enough or time is up; return False for the last."""
        person, clock = self._person, self._person.clock
        began_ns = last_ns = clock.now_ns()
        try:
            while (now_ns := clock.now_ns()) - began_ns < longest_s * 1e9:
                if is_over.is_set() or self._is_new() or ENABLE in person.view.banner:
                    return True
                seen = person.sight.ago(person.habits.sight_s)
                if seen is not None:
                    if -seen.hole[2] > leave_depth_m:
                        return True
                    person.hand.push(person.skill.push(seen.hole, (now_ns - last_ns) / 1e9))
                last_ns = now_ns
                if now_ns - began_ns > person.habits.doubt_s * 1e9 and self._stands():
                    person.counts["let go, as nothing moved"] += 1
                    person.hand.let_go()
                    is_over.wait(person.span(person.habits.react_s))
                    began_ns, longest_s = person.clock.now_ns(), longest_s - (now_ns - began_ns) / 1e9
                is_over.wait(HAND_S)
        finally:
            person.hand.let_go()
        return False

    def _stands(self) -> bool:
        """Return whether the arm stands still in the air."""
        sight, doubt_s = self._person.sight, self._person.habits.doubt_s
        now, before = sight.ago(0.0), sight.ago(doubt_s)
        if now is None or before is None or now.hole[2] < IN_THE_AIR_M:
            return False
        return float(np.abs(now.hole[:3] - before.hole[:3]).max()) < STILL_M

    def _watch(self, is_over: threading.Event, watched_s: float) -> None:
        """Look at the policy, hands off, or at the next attempt."""
        until_ns = self._person.clock.now_ns() + round(watched_s * 1e9)
        while self._person.clock.now_ns() < until_ns and not is_over.wait(HAND_S) and not self._is_new():
            pass

    def _grip(self, is_over: threading.Event) -> None:
        person = self._person
        person.counts["needless grip"] += 1
        person.hand.press(CLOSE_BUTTON, True)
        is_over.wait(person.span(person.habits.grip_s))
        person.hand.press(CLOSE_BUTTON, False)

    def _botch(self, is_over: threading.Event) -> None:
        """Move the wrong way, see it, and ask for the same start again."""
        person = self._person
        wrong = np.zeros(6)
        wrong[:2] = WRONG * np.sign(person.rng.uniform(-1.0, 1.0, 2))
        person.hand.push(wrong)
        is_over.wait(person.span(person.habits.botch_s))
        person.hand.let_go()
        is_over.wait(person.span(person.habits.react_s))
        steps = person.view.steps
        person.click("again")
        until_ns = person.clock.now_ns() + round(BUSY_S * 1e9)
        while person.view.steps >= steps and person.clock.now_ns() < until_ns and not is_over.wait(HAND_S):
            pass
        person.skill.begin()


def left_m(hole: NDArray[np.float64]) -> float:
    """Return the distance of the peg's tip to the bottom of the hole [m]."""
    return float(np.linalg.norm(hole[:3] + np.array([0.0, 0.0, DEPTH_M])))

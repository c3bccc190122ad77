"""The person at a page and a device of the test: late, and only where there is something to do."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.teach.person import Habits, Person, View
from benchmarks.teach.sight import Seen
from steadyhand.runtime.clock import MonotonicClock
from tests.transport_kit import wait_until

HABITS = Habits(sight_s=0.01, react_s=(0.0, 0.02), botch_share=0.0, grip_share=0.0, stall_s=0.2, late_share=0.0)
MOVES = View("policy in control", True, 3, ())
WAITS = View("motion disabled: ready. Press Enable (enter) to go on", True, 0, ())


class Eyes:
    """A sight that the test sets, as fresh as a running arm keeps it."""

    def __init__(self):
        self.nearer_m_s = 0.0
        self.hole, self.place, self.clock, self.stands = (
            np.array([0, 0, 0.05, 0, 0, 0.0]),
            np.ones(3),
            MonotonicClock(),
            False,
        )

    def ago(self, age_s):
        at_ns = 0 if self.stands else self.clock.now_ns() - round(age_s * 1e9)
        return Seen(at_ns, self.hole + np.array([0, 0, self.nearer_m_s * age_s, 0, 0, 0]), self.place)


class Skill:
    def __init__(self):
        self.begun = 0

    def begin(self):
        self.begun += 1

    def push(self, hole, since_s):
        return np.full(6, 0.5)


class Hand:
    def __init__(self):
        self.pushes, self.buttons, self.is_pushed = 0, [], False

    def push(self, twist):
        self.pushes, self.is_pushed = self.pushes + 1, True

    def let_go(self):
        self.is_pushed = False

    def press(self, button, down):
        self.buttons.append((button, down))


class Screen:
    def __init__(self, view):
        self.view, self.pressed = view, []

    def look(self):
        return self.view

    def take_control(self):
        self.pressed.append("take")
        self.view = replace(self.view, operates=True)

    def press(self, request):
        self.pressed.append(request)


class Bench:
    def __init__(self, do, view, **habits):
        self.eyes, self.hand, self.screen, self.skill = Eyes(), Hand(), Screen(view), Skill()
        self.person = Person(replace(HABITS, **habits), self.skill, self.eyes, self.hand, self.screen, 0)
        self.is_over = threading.Event()
        self._thread = threading.Thread(target=do, args=(self.person, self.is_over))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self.is_over.set()
        self._thread.join(10)
        assert not self.hand.is_pushed


def test_the_person_takes_control_and_presses_enable_once():
    with Bench(Person.watch, replace(WAITS, operates=False)) as bench:
        wait_until(lambda: bench.screen.pressed == ["take", "resume"])
        bench.screen.view = MOVES
        wait_until(lambda: bench.person.view is MOVES)
        bench.screen.view = WAITS
        wait_until(lambda: bench.screen.pressed == ["take", "resume", "resume"])
    assert bench.hand.pushes == 0


def test_a_demonstration_begins_with_a_new_hole_and_ends_with_the_next():
    with Bench(Person.demonstrate, MOVES, doubt_s=60.0) as bench:
        wait_until(lambda: bench.hand.is_pushed)
        begun = bench.skill.begun
        bench.eyes.place = np.full(3, 2.0)
        wait_until(lambda: bench.skill.begun == begun + 1)
        wait_until(lambda: not bench.hand.is_pushed)


def test_an_attempt_that_takes_too_long_is_a_failure():
    with Bench(Person.demonstrate, MOVES, give_up_s=0.1, doubt_s=60.0) as bench:
        wait_until(lambda: bench.screen.pressed == ["failure"])


def test_a_person_whose_push_moves_nothing_lets_go():
    with Bench(Person.demonstrate, MOVES, doubt_s=0.1) as bench:
        wait_until(lambda: bench.person.counts["let go, as nothing moved"] > 0)


def test_a_wrong_movement_is_discarded_and_made_again():
    with Bench(Person.demonstrate, MOVES, botch_share=1.0, botch_s=(0.3, 0.4)) as bench:
        wait_until(lambda: bench.screen.pressed == ["again"])
        bench.screen.view = replace(MOVES, steps=0)
        wait_until(lambda: bench.screen.pressed == ["again", "again"])


def test_a_needless_press_of_the_gripper_is_short():
    with Bench(Person.demonstrate, MOVES, grip_share=1.0) as bench:
        wait_until(lambda: bench.hand.buttons == [(0, True), (0, False)])


def test_a_policy_that_gets_nowhere_is_helped():
    with Bench(Person.correct, MOVES) as bench:
        wait_until(lambda: bench.person.counts["correction"] > 0)
        wait_until(lambda: bench.hand.pushes > 0)


@pytest.mark.parametrize("why", ["the arm waits", "the policy comes nearer"])
def test_a_policy_is_left_alone(why):
    with Bench(Person.correct, MOVES) as bench:
        bench.eyes.stands, bench.eyes.nearer_m_s = why == "the arm waits", 0.05 * (why == "the policy comes nearer")
        bench.person.counts.clear()
        bench.is_over.wait(0.6)
        assert bench.person.counts["correction"] == 0
        bench.eyes.stands, bench.eyes.nearer_m_s = False, 0.0
        wait_until(lambda: bench.person.counts["correction"] == 1)

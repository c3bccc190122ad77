"""F27: the learner hangs: stopped as a whole, or answering and no longer learning. It is reported; nothing is lost."""

import signal
import time

import pytest

from steadyhand.actor.learner_watch import LearnerWatch
from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.uplink import Progress
from tests.faults.crash_world import CrashWorld

PERIOD_S, STALL_S = 0.1, 60.0  # the product's own
LIVENESS_S = 0.3 * 6  # of the link under test
BUSY_S = 30.0  # what a busy machine may add

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def world(tmp_path):
    world = CrashWorld(tmp_path)
    yield world
    world.close()


def test_a_learner_that_is_stopped_is_reported_and_another_goes_on_where_it_was(world, record_property):
    learner = world.start("learner")
    world.start("actor")
    world.wait_for("practice with the learner", lambda: world.connected() and world.epoch() >= 0)
    learner.send_signal(signal.SIGSTOP)
    began, steps = time.monotonic(), world.env_steps()
    world.wait_for("the actor to notice", lambda: not world.connected())
    took_s = time.monotonic() - began
    record_property("detection_s", took_s)
    assert took_s <= LIVENESS_S + BUSY_S
    world.wait_for("practice to go on alone", lambda: world.env_steps() > steps + 60)
    world.kill("learner")  # as whoever supervises it does with one that is not healthy
    world.end()  # starts another
    account = world.account()
    record_property("lost_steps", account.lost_steps)
    assert account.lost_steps == 0


def test_a_learner_that_was_stopped_and_goes_on_is_the_same_one(world, record_property):
    learner = world.start("learner")
    world.start("actor")
    world.wait_for("practice with the learner", lambda: world.connected() and world.epoch() >= 0)
    epoch = world.epoch()
    learner.send_signal(signal.SIGSTOP)
    world.wait_for("the actor to notice", lambda: not world.connected())
    learner.send_signal(signal.SIGCONT)
    world.wait_for("the two to find each other again", world.connected)
    assert learner.poll() is None
    world.end()
    assert world.epoch() == epoch
    record_property("lost_steps", world.account().lost_steps)


def hangs_after(seconds: float, stall_s: float | None) -> float:
    """Let a learner answer and take records, and make no update after `seconds`; return when it was reported."""
    clock = FakeClock()
    watch = LearnerWatch(stall_s, clock)
    for step in range(3000):
        clock.advance_ns(round(PERIOD_S * 1e9))
        now_s = (step + 1) * PERIOD_S
        updates = round(10 * min(now_s, seconds))
        if watch.look(Progress(connected=True, learner_phase="online", next_seq=step, updates=updates)):
            return now_s - seconds
    return float("inf")


def test_a_learner_that_answers_and_no_longer_learns_is_reported(caplog):
    assert hangs_after(30.0, STALL_S) <= STALL_S + 2 * PERIOD_S
    assert "no update for 60 s (it answers and takes records)" in caplog.text


def test_without_the_watch_it_would_go_unnoticed(caplog):
    assert hangs_after(30.0, None) == float("inf")
    assert caplog.text == ""

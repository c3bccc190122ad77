import pytest

from steadyhand.actor.events import Events, Fault, MotionDisabled, MotionEnabled
from steadyhand.actor.supervision.motion_enable import MotionEnable
from tests.events_kit import kept


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def told(events):
    return kept(events, MotionDisabled)


@pytest.fixture
def motion(events):
    return MotionEnable(events)


def test_nothing_moves_until_a_person_enables_motion(motion, told, events):
    enabled = kept(events, MotionEnabled)
    assert not motion.enabled
    assert motion.reason
    assert motion.enable() == ""
    assert motion.enable() == ""
    assert motion.enabled
    assert motion.reason == ""
    assert told == []
    assert len(enabled) == 1


def test_the_first_reason_stays_until_motion_is_enabled_again(motion, told):
    motion.enable()
    motion.disable("person_stop")
    motion.disable("stale_state")
    assert (motion.enabled, motion.reason, told) == (False, "person_stop", [MotionDisabled("person_stop")])
    motion.enable()
    assert motion.reason == ""


def test_an_enable_that_was_asked_for_before_a_stop_is_refused_after_it(motion):
    since = motion.disables
    motion.disable("person_stop")  # nothing was enabled yet: it counts all the same
    assert "stop came meanwhile" in motion.enable(since)
    assert not motion.enabled
    assert motion.enable(motion.disables) == ""


def test_after_a_fault_motion_is_refused_until_somebody_recovers(motion, told, events):
    faults = kept(events, Fault)
    motion.enable()
    motion.fault()
    motion.fault()
    assert told == [MotionDisabled("robot_fault")]
    assert faults == [Fault("robot_fault")]
    assert "actor/recover" in motion.enable()
    assert not motion.enabled
    motion.recovered()
    assert not motion.enabled
    assert motion.enable() == ""


def test_a_verdict_is_taken_once(motion):
    assert motion.pop_verdict() is None
    motion.judge("success")
    assert motion.pop_verdict() == "success"
    assert motion.pop_verdict() is None


def test_a_subscriber_of_a_stop_that_fails_does_not_keep_motion_enabled(motion, events):
    events.subscribe(MotionDisabled, lambda event: 1 / 0)
    motion.enable()
    motion.disable("person_stop")
    assert not motion.enabled

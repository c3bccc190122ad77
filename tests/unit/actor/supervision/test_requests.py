import pytest

from steadyhand.actor.events import Events, RequestRefused
from steadyhand.actor.supervision.motion_enable import MotionEnable
from steadyhand.actor.supervision.requests import Requests
from steadyhand.robot_envs.safety.stop_reason import StopReason
from tests.events_kit import kept


class Stops:
    """Disables motion as a supervised environment does, and fails on demand."""

    def __init__(self, motion):
        self.motion, self.reasons, self.error = motion, [], None

    def __call__(self, reason):
        self.reasons.append(reason)
        self.motion.disable(reason.value)
        if self.error is not None:
            raise self.error


@pytest.fixture
def motion():
    return MotionEnable()


@pytest.fixture
def stops(motion):
    return Stops(motion)


@pytest.fixture
def requests(motion, stops):
    return Requests(motion, stops)


def test_resume_enables_motion_and_stop_takes_it_away(motion, stops, requests):
    requests.press("resume")
    assert motion.enabled
    requests.press("stop")
    assert (motion.enabled, motion.reason, stops.reasons) == (False, "person_stop", [StopReason.PERSON_STOP])
    requests.press("resume")
    assert motion.enabled


@pytest.mark.parametrize(("name", "verdict"), [("success", "success"), ("failure", "failure"), ("again", "reset")])
def test_a_verdict_needs_an_episode(motion, requests, name, verdict):
    requests.press(name)
    assert motion.pop_verdict() is None
    motion.enable()
    requests.press(name)
    assert motion.pop_verdict() == verdict


def test_park_needs_an_episode_too(motion, requests):
    requests.press("park")
    assert not motion.pop_park()
    motion.enable()
    requests.press("park")
    assert motion.pop_park()


def test_a_devices_park_button_is_left_to_its_operator(motion, requests):
    motion.enable()
    requests.press_button("park")
    assert not motion.pop_park()


@pytest.mark.parametrize("name", ["open", "close", "unknown"])
def test_a_button_that_asks_for_nothing_here_changes_nothing(motion, stops, requests, name):
    requests.press(name)
    assert (motion.enabled, motion.pop_park(), motion.pop_verdict(), stops.reasons) == (False, False, None, [])


def test_a_fault_is_not_resumed_by_a_key(motion, stops, caplog):
    events = Events()
    refused, requests = kept(events, RequestRefused), Requests(motion, stops, events=events)
    motion.fault()
    requests.press("resume")
    assert not motion.enabled
    assert "not enabled: the robot had a fault" in caplog.text
    assert [event.request for event in refused] == ["resume"]
    motion.recovered()
    requests.press("resume")
    assert motion.enabled
    assert len(refused) == 1


def test_a_stop_that_fails_is_reported_and_the_next_key_is_heard(motion, stops, requests, caplog):
    motion.enable()
    stops.error = OSError("gone")
    requests.press("stop")
    assert "stop: failed (OSError: gone)" in caplog.text
    requests.press("resume")
    assert motion.enabled


def test_where_marks_are_taken_a_verdict_ends_no_episode(motion, stops):
    marks = []
    requests = Requests(motion, stops, marks.append)
    motion.enable()
    for name in ("success", "failure", "success"):
        requests.press(name)
    assert marks == ["success", "failure", "success"]
    assert motion.pop_verdict() is None
    requests.press("again")
    assert motion.pop_verdict() == "reset"
    assert len(marks) == 3

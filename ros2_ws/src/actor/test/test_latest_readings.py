import math

import pytest

from actor_ros.latest_readings import CLOCK, LatestReadings
from steadyhand.runtime.clock import FakeClock

S = 1_000_000_000


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def sources(clock):
    sources = LatestReadings(clock)
    sources.expect("pose", 0.2)
    sources.expect("mode", None)
    return sources


def test_what_was_never_heard_is_silent_by_its_name(sources):
    assert sources.silent() == ("pose", "mode")
    assert sources.ages_s() == {"pose": math.inf, "mode": math.inf}
    assert sources.newest("pose") is None


def test_a_reading_grows_old_by_the_time_of_its_receipt(sources, clock):
    sources.put("pose", 1.0)
    sources.put("mode", "well")
    assert sources.silent() == ()
    clock.advance_ns(S // 5)
    assert sources.silent() == ()
    assert sources.ages_s()["pose"] == pytest.approx(0.2)
    clock.advance_ns(1)
    assert sources.silent() == ("pose",)
    assert sources.newest("pose") == 1.0
    assert sources.received_ns("pose") == 0


def test_a_source_that_speaks_on_a_change_only_is_never_silent(sources, clock):
    sources.put("mode", "well")
    clock.advance_ns(3600 * S)
    assert "mode" not in sources.silent()


def test_a_clock_that_stands_is_silent_by_its_own_name(clock):
    standing = []
    sources = LatestReadings(clock, lambda: bool(standing))
    sources.expect("pose", 0.2)
    sources.put("pose", 1)
    assert sources.silent() == ()
    standing.append(True)
    assert sources.silent() == (CLOCK,)


def test_what_sends_no_readings_is_said_as_that_and_what_is_silent_as_silent(sources, clock):
    assert sources.objection() == "not heard: pose, mode; start what publishes it, or correct the robot's profile"
    assert sources.refuse("pose", "expected a unit quaternion, found length 0; fill in all four numbers")
    assert not sources.refuse("pose", "expected a unit quaternion, found length 0; fill in all four numbers")
    assert sources.silent() == ("pose", "mode")
    assert sources.objection() == (
        "pose: expected a unit quaternion, found length 0; fill in all four numbers; "
        "not heard: mode; start what publishes it, or correct the robot's profile"
    )
    sources.put("mode", "well")
    assert sources.objection().endswith("fill in all four numbers")
    sources.put("pose", 1.0)
    assert sources.objection() == sources.refused("pose") == ""
    clock.advance_ns(S)
    assert "not heard: pose" in sources.objection()


def test_a_refused_message_among_good_ones_is_no_objection_until_the_source_is_silent(sources, clock):
    sources.put("mode", "well")
    sources.put("pose", 1.0)
    sources.refuse("pose", "expected numbers, found none")
    assert sources.objection() == ""
    clock.advance_ns(S)
    assert sources.objection() == "pose: expected numbers, found none"


def test_a_source_that_is_followed_is_taken_in_when_it_is_asked_for(sources, clock):
    waiting = [(1.0, 0)]

    def pull():
        if waiting:
            sources.put("pose", *waiting.pop())

    sources.follow("pose", pull)
    assert sources.newest("pose") == 1.0
    clock.advance_ns(S)
    assert "pose" in sources.silent()
    waiting.append((2.0, S - S // 10))
    assert "pose" not in sources.silent()
    assert sources.received_ns("pose") == S - S // 10
    assert sources.ages_s()["pose"] == pytest.approx(0.1)
    waiting.append((3.0, S))
    assert sources.received_ns("pose") == S
    assert sources.newest("pose") == 3.0


def test_a_reading_may_need_another_sources_newest(sources):
    sources.follow("pose", lambda: sources.put("pose", 7.0))
    sources.expect("wrench", 0.2)
    sources.follow("wrench", lambda: sources.put("wrench", sources.newest("pose") + 1.0))
    assert sources.newest("wrench") == 8.0

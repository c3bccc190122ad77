import pytest

from steadyhand.actor.pause import pause, resume_after_stop
from steadyhand.runtime.clock import FakeClock
from tests.unit.actor.point_env import Helper, PointEnv


def test_a_pause_passes_time():
    clock = FakeClock()
    pause(clock)
    assert clock.now_ns() > 0


@pytest.mark.parametrize("reason", ["", "interrupted"])
def test_without_a_stop_nobody_is_asked(reason):
    helper = Helper()
    resume_after_stop(PointEnv(), helper, reason, stop=lambda: False)
    assert helper.asked == []


def test_nothing_is_released_before_the_person_says_so():
    env, helper, waited = PointEnv(), Helper(), []
    env.stop_reason, helper.refusals = "force_limit", 3
    resume_after_stop(env, helper, "force_limit", lambda: False, lambda: waited.append(env.stop_reason))
    assert helper.asked == ["force_limit"] * 4
    assert waited == ["force_limit"] * 3
    assert env.stop_reason is None


def test_a_stop_stays_latched_when_the_process_ends():
    env, helper = PointEnv(), Helper()
    env.stop_reason, helper.refusals = "force_limit", 1000
    resume_after_stop(env, helper, "force_limit", stop=lambda: len(helper.asked) == 3)
    assert env.stop_reason == "force_limit"

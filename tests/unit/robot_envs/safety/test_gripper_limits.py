import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.robot_envs.safety.gripper_limits import GripperLimits, GripperStream

LIMITS = GripperLimits(max_speed_m_s=0.1, min_change_m=0.002, min_period_s=0.05, retry_s=2.0)
CLOSED_M, OPEN_M = 0.0, 0.08
NS = 1_000_000_000
TICK_NS = NS // 100


def stream(steps=True, measured=0.04) -> GripperStream:
    found = GripperStream(CLOSED_M, OPEN_M, LIMITS, steps)
    if measured is not None:
        found.measured(measured)
    return found


def run(gripper: GripperStream, seconds: float, start_ns: int = 0) -> list[tuple[int, float]]:
    sent = ((now, gripper.tick(now)) for now in range(start_ns, start_ns + round(seconds * NS), TICK_NS))
    return [(now, opening) for now, opening in sent if opening is not None]


@pytest.mark.parametrize(("asked", "sent"), [(-5.0, 0.0), (10.0, 0.08), (-1e-9, 0.0), (0.03, 0.03)])
def test_what_is_outside_the_range_becomes_its_end_and_counts(asked, sent):
    gripper = stream(steps=False)
    assert gripper.ask(asked) == (asked == sent)
    assert gripper.clamped == (asked != sent)
    assert [opening for _, opening in run(gripper, 1.0)] == [sent]


@pytest.mark.parametrize("asked", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused_and_the_wanted_opening_stays(asked):
    gripper = stream(steps=False)
    gripper.ask(0.01)
    with pytest.raises(ValueError, match="finite"):
        gripper.ask(asked)
    assert [opening for _, opening in run(gripper, 1.0)] == [0.01]


def test_nothing_is_sent_before_the_gripper_was_seen_and_asked():
    gripper = stream(measured=None)
    gripper.ask(0.01)
    assert run(gripper, 1.0) == []
    gripper.measured(math.nan)
    assert run(gripper, 1.0) == []
    assert run(stream(), 1.0) == []


def test_it_is_led_from_the_measured_opening_to_the_wanted_one_and_then_left_alone():
    gripper = stream(measured=0.04)
    gripper.ask(0.08)
    sent = run(gripper, 2.0)
    assert sent[0][1] == pytest.approx(0.045)
    assert sent[-1][1] == 0.08
    assert len(sent) == 8
    assert run(gripper, 1.0, 3 * NS) == []


def test_a_measured_opening_beyond_the_range_is_not_sent():
    gripper = stream(measured=0.5)
    gripper.ask(0.08)
    assert [opening for _, opening in run(gripper, 1.0)] == [0.08]


@given(st.lists(st.tuples(st.floats(-1.0, 1.0), st.floats(0.01, 0.5)), min_size=1, max_size=30), st.floats(-0.1, 0.2))
def test_no_sequence_of_wishes_leaves_the_range_or_breaks_the_speed(wishes, measured):
    gripper = stream(measured=measured)
    now, sent = 0, [(0, min(max(measured, CLOSED_M), OPEN_M))]
    for wanted, seconds in wishes:
        gripper.ask(wanted)
        sent += run(gripper, seconds, now)
        now += round(seconds * NS)
    for (before_ns, before), (after_ns, after) in pairwise(sent[1:]):
        assert abs(after - before) <= LIMITS.max_speed_m_s * (after_ns - before_ns) / NS + 1e-9
    assert all(CLOSED_M <= opening <= OPEN_M for _, opening in sent)
    assert [abs(first - sent[0][1]) <= 0.005 + 1e-9 for _, first in sent[1:2]] in ([], [True])


def test_the_twin_without_steps_breaks_that_speed():
    gripper = stream(steps=False, measured=0.0)
    gripper.ask(0.08)
    (_, first), *_ = run(gripper, 1.0)
    assert first > LIMITS.max_speed_m_s * LIMITS.min_period_s


def test_small_changes_are_not_sent_but_an_end_always_is():
    gripper = stream(steps=False, measured=0.08)
    gripper.ask(0.0015)
    assert len(run(gripper, 1.0)) == 1
    gripper.ask(0.003)
    assert run(gripper, 1.0, NS) == []
    gripper.ask(0.0)
    assert [opening for _, opening in run(gripper, 1.0, 2 * NS)] == [0.0]


def test_a_gripper_with_its_own_speed_that_holds_its_part_is_not_asked_anew():
    gripper = stream(steps=False, measured=0.0205)
    gripper.ask(0.02)
    assert run(gripper, 1.0) == []


def test_a_cancelled_command_is_sent_again_and_a_failed_one_later():
    gripper = stream(steps=False)
    gripper.ask(0.0)
    assert len(run(gripper, 1.0)) == 1
    gripper.forget()
    assert len(run(gripper, 1.0, NS)) == 1
    gripper.failed(2 * NS)
    assert [now for now, _ in run(gripper, 3.0, 2 * NS)] == [4 * NS]


@pytest.mark.parametrize("name", ["max_speed_m_s", "min_change_m", "min_period_s", "retry_s"])
def test_limits_are_above_0(name):
    with pytest.raises(ValueError, match=name):
        replace(LIMITS, **{name: 0.0})

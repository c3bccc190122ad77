import numpy as np
import pytest

from steadyhand.actor.demo_quality import demo_quality
from steadyhand.transport.record import Kind

RAMPED = np.array([True] * 6 + [False])
DTYPE = np.dtype([("kind", "u1"), ("action", "<f4", (7,))])


def records(*actions):
    rows = [(Kind.STEP, action) for action in actions] + [(Kind.FINAL, [0.0] * 7)]
    return list(np.array(rows, DTYPE))


def action(x=0.0, z=0.0, gripper=0.0):
    return [x, 0, z, 0, 0, 0, gripper]


def test_it_counts_still_time_and_full_deflection_of_the_motion_alone():
    quality = demo_quality(
        records(action(1.0), action(-1.0), action(0.5, gripper=1.0), action(gripper=1.0)), RAMPED, [2, 4, 3], 12.4
    )
    assert quality.steps == 4
    assert quality.median_steps == 3
    assert quality.still_share == 0.25
    assert quality.saturated == {"x": 0.5}  # the gripper at 1 is no saturation
    assert quality.line() == "4 steps, 1.3 x the median; still 25%; x at full deflection 50%; peak 12 N"


def test_a_few_full_steps_are_not_worth_a_word():
    quality = demo_quality(records(action(1.0), *[action(0.5)] * 3), RAMPED, [], None)
    assert quality.saturated == {}
    assert quality.line() == "4 steps; still 0%"


def test_an_environment_without_motions_has_a_length_alone():
    assert demo_quality(records(action(1.0)), np.zeros(7, np.bool_), [], None).line() == "1 step"


@pytest.mark.parametrize("rows", [[], records()])
def test_without_steps_there_is_no_quality(rows):
    assert demo_quality(rows, RAMPED, [], None) is None

"""Recovery of a source of poses after a run of wrong readings."""

import numpy as np
import pytest

from steadyhand.robot_envs.safety.plausibility import Plausibility, PlausibleMotion
from tests.robot_kit import TOOL_DOWN

LIMITS = PlausibleMotion(2.0, 8.0, 0.005, 0.05, max_rejected=3)
PERIOD_NS = 10_000_000
HOME = np.concatenate([[0.5, 0.0, 0.2], TOOL_DOWN])
FAR = HOME + np.array([0.4, 0.3, 0.1, 0, 0, 0, 0])
NEAR = HOME + np.array([0.0, 0.15, 0.0, 0, 0, 0, 0])  # as far as an arm may move in the longest gap
NOT_FINITE = HOME * np.nan


def accepted(*poses):
    source = Plausibility(LIMITS)
    return [source.accepts(pose, 10 * PERIOD_NS * (index + 1)) for index, pose in enumerate(poses)]


def test_fewer_wrong_readings_than_a_stop_takes_are_forgotten_at_the_next_right_one():
    assert accepted(HOME, FAR, FAR, HOME) == [True, False, False, True]


def test_after_a_stop_as_many_readings_have_to_agree():
    assert accepted(HOME, FAR, -FAR, FAR, HOME, HOME, HOME) == [True] + 5 * [False] + [True]


@pytest.mark.parametrize("between", [FAR, NOT_FINITE])
def test_one_reading_near_the_arm_among_wrong_ones_is_not_believed(between):
    assert accepted(HOME, *3 * [NOT_FINITE], NEAR, between, NEAR, between, NEAR) == [True] + 8 * [False]


def test_readings_that_agree_far_from_the_arm_need_the_operator():
    source = Plausibility(LIMITS)
    found = [source.accepts(pose, 10 * PERIOD_NS * index) for index, pose in enumerate([HOME, *9 * [FAR]], 1)]
    assert found == [True] + 9 * [False]
    assert source.is_fault
    source.forget()
    assert source.accepts(FAR, 110 * PERIOD_NS)

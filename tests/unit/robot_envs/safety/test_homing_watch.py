from dataclasses import replace

import numpy as np
import pytest

from steadyhand.robot_envs.robot import RobotError
from steadyhand.robot_envs.safety.homing_watch import HomingWatch
from tests.robot_kit import limits, state
from tests.watchdog_kit import SETTINGS


def moved(x=0.5, speed_m_s=0.0, **changes):
    found = state(**changes)
    found.tcp_pose[0, 0], found.tcp_twist[0, 0] = x, speed_m_s
    return found


def watch(start=0.5):
    return HomingWatch(limits(), SETTINGS, moved(start))


def test_a_motion_within_the_limits_passes():
    found = watch()
    for x in (0.5, 0.6, 0.7):
        found.require_limits(moved(x, 0.2), 0)


@pytest.mark.parametrize(
    ("reading", "line"),
    [
        (moved(0.75), "the tool is 50 mm outside the workspace"),
        (moved(ok=np.zeros(1, np.bool_), fault="reflex: joint_reflex"), r"robot_fault \(reflex: joint_reflex\)"),
        (moved(wrench=np.full((1, 6), 70.0)), "force_limit"),
        (replace(moved(), tcp_pose=np.array([[0.5, 0.0, 0.2, 0.8, 0.6, 0.0, 0.0]])), "the tool is tilted by"),
    ],
)
def test_a_broken_limit_is_named(reading, line):
    with pytest.raises(RobotError, match=f"homing: stopped, .*{line}"):
        watch().require_limits(reading, 0)


def test_from_outside_the_tool_may_come_back_but_go_no_farther():
    found = watch(0.75)
    found.require_limits(moved(0.74), 0)
    with pytest.raises(RobotError, match="outside the workspace"):
        found.require_limits(moved(0.76), 0)


def test_one_fast_reading_is_noise_and_three_are_not():
    found = watch()
    for speed_m_s in (0.5, 0.5, 0.1, 0.5, 0.5):
        found.require_limits(moved(speed_m_s=speed_m_s), 0)
    with pytest.raises(RobotError, match=r"tool speed of at most 0\.25 m/s, found 0\.50 m/s"):
        found.require_limits(moved(speed_m_s=0.5), 0)

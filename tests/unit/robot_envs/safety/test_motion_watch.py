from dataclasses import replace

import numpy as np
import pytest

from steadyhand.robot_envs.robot import RobotCommand
from steadyhand.robot_envs.safety.motion_watch import MotionLimits, MotionWatch
from steadyhand.robot_envs.safety.stop_reason import StopReason
from tests.robot_kit import state

LIMITS = MotionLimits(window_s=0.5, min_commanded_m=0.04, min_share=0.1, contact_force_n=4.0)


def drive(watch, asked_m, moved_m, steps=8, force_n=0.0, n_arms=1, arm=0, period_ns=100_000_000):
    """Command `asked_m` along x every step while the arm moves `moved_m`; return the step of the first objection."""
    wrench = np.zeros((n_arms, 6))
    wrench[:, 2] = force_n
    now = state(n_arms, wrench=wrench)
    for step in range(steps):
        target = now.tcp_pose.copy()
        target[:, 0] += 0.009
        target[arm, 0] += (asked_m(step) if callable(asked_m) else asked_m) - 0.009
        watch.commanded(RobotCommand(target, now.gripper_width), now)
        pose = now.tcp_pose.copy()
        pose[:, 0] += 0.009
        pose[arm, 0] += moved_m - 0.009
        now = replace(now, tcp_pose=pose, stamp_ns=now.stamp_ns + period_ns)
        if watch.check(now) is StopReason.NOT_MOVING:
            return step
    return None


def test_an_arm_that_stays_where_it_is_is_noticed_after_the_window():
    assert drive(MotionWatch(LIMITS, 0.1), 0.01, 0.0) == 4


def test_an_arm_that_lags_is_not():
    assert drive(MotionWatch(LIMITS, 0.1), 0.01, 0.002) is None


def test_a_reading_that_is_no_newer_than_the_command_tells_nothing():
    assert drive(MotionWatch(LIMITS, 0.1), 0.01, 0.0, period_ns=0) is None


def test_commands_that_lead_nowhere_say_nothing():
    assert drive(MotionWatch(LIMITS, 0.1), 0.002, 0.0) is None
    assert drive(MotionWatch(LIMITS, 0.1), lambda step: 0.01 * (-1) ** step, 0.0) is None


def test_something_in_the_way_is_no_fault():
    assert drive(MotionWatch(LIMITS, 0.1), 0.01, 0.0, force_n=5.0) is None


def test_one_of_two_arms_is_enough():
    assert drive(MotionWatch(LIMITS, 0.1), 0.01, 0.0, n_arms=2, arm=1) == 4


def test_a_new_episode_starts_anew():
    watch = MotionWatch(LIMITS, 0.1)
    drive(watch, 0.01, 0.0, steps=4)
    watch.begin()
    assert drive(watch, 0.01, 0.0, steps=4) is None


def test_without_limits_nothing_is_judged():
    assert drive(MotionWatch(None, 0.1), 0.01, 0.0) is None


@pytest.mark.parametrize("change", [{"window_s": 0.0}, {"min_share": 1.0}, {"contact_force_n": -1.0}])
def test_numbers_that_mean_nothing_are_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        replace(LIMITS, **change)

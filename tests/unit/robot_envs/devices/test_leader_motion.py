import numpy as np
import pytest

from steadyhand.robot_envs.devices.leader_motion import LeaderMotion
from steadyhand.robot_envs.frames import pose, pose_compose, pose_from_vector, pose_relative, pose_to_vector

STEP_M, STEP_RAD, LAG = 0.01, 0.05, 2.0
FULL = np.repeat([STEP_M, STEP_RAD], 3)
FIRST = pose([0.4, 0.1, 0.3], [1.0, 0.0, 0.0, 0.0])


def motion(scale=1.0):
    return LeaderMotion(STEP_M, STEP_RAD, scale, LAG)


def ahead(by):
    return pose_compose(FIRST, pose_from_vector(np.asarray(by, float)))


def test_coupling_moves_nothing_wherever_the_leader_is():
    follower = motion()
    for first in (FIRST, ahead([0.3, 0, 0, 0, 1.0, 0]), ahead([-1.0, 0, 0.2, 0, 0, 3.0])):
        assert not follower.twist(first, 1.0).any()
        follower.release()


def test_a_leader_that_was_moved_while_it_was_uncoupled_would_jump_without_a_new_reference():
    follower = motion()
    follower.twist(FIRST, 1.0)
    assert np.abs(follower.twist(ahead([0.1, 0, 0, 0, 0, 0]), 1.0)).max() == 1.0  # the twin: no release
    follower.release()
    assert not follower.twist(ahead([0.2, 0, 0, 0, 0, 0]), 1.0).any()


def test_the_follower_goes_the_leaders_way_in_its_own_tool_frame():
    follower, rng = motion(), np.random.default_rng(0)
    leader, start = FIRST, pose([0.6, -0.2, 0.1], [0.0, 0.6, 0.0, 0.8])
    arm = start
    follower.twist(leader, 1.0)
    for _ in range(40):
        leader = pose_compose(leader, pose_from_vector(rng.uniform(-0.9, 0.9, 6) * FULL))
        twist = follower.twist(leader, 1.0)
        assert np.abs(twist).max() <= 1.0
        arm = pose_compose(arm, pose_from_vector(twist * FULL))
    np.testing.assert_allclose(
        pose_to_vector(pose_relative(start, arm)), pose_to_vector(pose_relative(FIRST, leader)), atol=1e-9
    )


def test_a_fast_hand_is_followed_for_two_steps_at_most():
    follower = motion()
    follower.twist(FIRST, 1.0)
    there = ahead([0.10, 0.05, 0, 0, 0, 0])  # ten steps at once
    twists = [follower.twist(there, 1.0) for _ in range(4)]
    np.testing.assert_allclose([twist[0] for twist in twists], [1.0, 1.0, 0.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(twists[0][:2], [1.0, 0.5], atol=1e-9)  # the direction stays


def test_a_follower_that_falls_short_is_brought_there_all_the_same():
    """The twin without the measured pose: what an arm loses at each step stays lost."""
    ends = []
    for is_measured in (True, False):
        follower, arm = motion(), FIRST
        for step in range(60):
            if is_measured:
                follower.follow(arm)
            twist = follower.twist(ahead([min(step, 40) * 0.001, 0, 0, 0, 0, 0]), 1.0)
            arm = pose_compose(arm, pose_from_vector(0.7 * twist * FULL))
        ends.append(float(pose_relative(FIRST, arm)[0]))
    assert ends == pytest.approx([0.040, 0.028], abs=1e-4)


def test_the_policys_motion_before_a_takeover_is_not_undone():
    follower = motion()
    follower.follow(FIRST)
    follower.twist(FIRST, 1.0)
    follower.release()
    follower.follow(ahead([0.2, 0, 0, 0, 0, 0.5]))  # where the policy has brought the tool
    assert not follower.twist(FIRST, 1.0).any()
    np.testing.assert_allclose(follower.twist(ahead([0.005, 0, 0, 0, 0, 0]), 1.0), [0.5, 0, 0, 0, 0, 0], atol=1e-9)


def test_a_part_of_a_step_counts_as_a_part():
    follower = motion()
    follower.twist(FIRST, 1.0)
    there = ahead([0.008, 0, 0, 0, 0, 0])
    twists = [follower.twist(there, 0.5)[0] for _ in range(3)]
    assert twists == pytest.approx([0.8, 0.4, 0.2])


def test_a_scale_makes_translations_finer_and_leaves_rotations():
    follower = motion(scale=0.5)
    follower.twist(FIRST, 1.0)
    twist = follower.twist(ahead([0.008, 0, 0, 0, 0, 0.02]), 1.0)
    np.testing.assert_allclose(twist, [0.4, 0, 0, 0, 0, 0.4], atol=1e-9)


def test_coupled_where_it_rested_it_makes_up_for_the_motion_that_coupled_it():
    follower = motion()
    follower.couple(FIRST)
    np.testing.assert_allclose(follower.twist(ahead([0.006, 0, 0, 0, 0, 0]), 1.0), [0.6, 0, 0, 0, 0, 0], atol=1e-9)

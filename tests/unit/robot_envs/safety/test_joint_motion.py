import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robot_envs.safety.joint_motion import plan_joint_motion

ANGLES = st.lists(st.floats(-3.0, 3.0), min_size=6, max_size=6).map(np.array)
LIMITS = st.floats(0.01, 3.0)


@given(ANGLES, ANGLES, LIMITS, LIMITS, st.floats(0.01, 0.2))
def test_no_motion_breaks_its_limits_and_each_ends_at_rest_at_the_goal(start, goal, velocity, acceleration, period_s):
    motion = plan_joint_motion(start, goal, velocity, acceleration, period_s)
    assert np.abs(motion.velocity).max() <= velocity * (1 + 1e-9)
    assert np.abs(motion.acceleration).max() <= acceleration * (1 + 1e-9)
    assert (motion.position[-1] == goal).all()
    assert not motion.velocity[-1].any()
    assert not motion.acceleration[-1].any()
    steps = np.diff(np.concatenate([[0.0], motion.time_s]))
    assert (steps > 0.0).all()
    assert steps.max() <= period_s * (1 + 1e-6)
    low, high = np.minimum(start, goal), np.maximum(start, goal)
    assert ((motion.position >= low - 1e-9) & (motion.position <= high + 1e-9)).all(), "no joint overshoots"


def test_velocities_are_the_positions_changes():
    motion = plan_joint_motion(np.zeros(2), np.array([1.0, -0.5]), 0.5, 1.0, 0.001)
    between = np.gradient(motion.position, motion.time_s, axis=0)
    assert motion.velocity[5:-5] == pytest.approx(between[5:-5], abs=1e-4)
    between = np.gradient(motion.velocity, motion.time_s, axis=0)
    assert motion.acceleration[5:-5] == pytest.approx(between[5:-5], abs=1e-3)
    assert np.abs(motion.velocity).max() == pytest.approx(0.5, rel=1e-3), "no slower than it may be"

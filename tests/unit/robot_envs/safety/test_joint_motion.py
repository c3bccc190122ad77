import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.robot_envs.safety.joint_motion import plan_joint_motion
from steadyhand.robot_envs.safety.rate_limit import RateLimits

ANGLES = st.lists(st.floats(-3.0, 3.0), min_size=6, max_size=6).map(np.array)
LIMITS = st.floats(0.01, 3.0)


@given(ANGLES, ANGLES, LIMITS, LIMITS, st.floats(0.1, 50.0), st.floats(0.01, 0.2))
def test_no_motion_breaks_its_limits_and_each_ends_at_rest(start, goal, velocity, acceleration, jerk, period_s):
    motion = plan_joint_motion(start, goal, RateLimits(velocity, acceleration, jerk), period_s)
    assert np.abs(60.0 * (goal - start)).max() / motion.duration_s**3 <= jerk * (1 + 1e-9)
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
    motion = plan_joint_motion(np.zeros(2), np.array([1.0, -0.5]), RateLimits(0.5, 1.0, 50.0), 0.001)
    between = np.gradient(motion.position, motion.time_s, axis=0)
    assert motion.velocity[5:-5] == pytest.approx(between[5:-5], abs=1e-4)
    between = np.gradient(motion.velocity, motion.time_s, axis=0)
    assert motion.acceleration[5:-5] == pytest.approx(between[5:-5], abs=1e-3)
    between = np.gradient(motion.acceleration, motion.time_s, axis=0)
    assert np.abs(between).max() <= 60.0 * 1.0 / motion.duration_s**3 * 1.001, "the jerk is largest at the ends"
    assert np.abs(motion.velocity).max() == pytest.approx(0.5, rel=1e-3), "no slower than it may be"

from dataclasses import replace

import numpy as np
import pytest

from steadyhand.robot_envs.frames import quat_from_rotvec
from steadyhand.robot_envs.state_history import StateHistory
from tests.robot_kit import state

S = 1_000_000_000


def moving(t_s: float):
    """A tool on a sine of 0.5 Hz, which turns about z at 0.4 rad/s while its gripper opens."""
    phase = np.pi * t_s
    at = state(stamp_ns=round(t_s * S), wrench=np.full((1, 6), t_s), gripper_width=np.array([0.01 * t_s]))
    position = [0.5 + 0.05 * np.sin(phase), 0.0, 0.2]
    pose = np.concatenate([position, quat_from_rotvec(np.array([0.0, 0.0, 0.4 * t_s]))])[None]
    twist = np.array([[0.05 * np.pi * np.cos(phase), 0.0, 0.0, 0.0, 0.0, 0.4]])
    return replace(at, tcp_pose=pose, tcp_twist=twist)


@pytest.fixture
def history():
    found = StateHistory(0.5)
    found.begin(moving(0.0))
    for step in range(1, 21):
        found.add(moving(0.1 * step))
    return found


def test_between_two_states_the_motion_is_that_of_the_time(history):
    for t_s in np.linspace(1.6, 1.99, 40):
        found, true = history.at(round(t_s * S)), moving(t_s)
        assert np.abs(found.tcp_pose[0, :3] - true.tcp_pose[0, :3]).max() < 2e-5
        assert np.allclose(found.tcp_pose[0, 3:], true.tcp_pose[0, 3:], atol=1e-9)
        assert found.gripper_width[0] == pytest.approx(true.gripper_width[0])


def test_the_wrench_and_the_stamp_stay_the_newest(history):
    found = history.at(round(1.6 * S))
    assert (found.wrench[0, 0], found.stamp_ns) == (pytest.approx(2.0), 2 * S)


def test_now_and_later_is_the_newest_state_itself(history):
    assert history.at(2 * S) is history.at(3 * S)
    assert np.array_equal(history.at(2 * S).tcp_pose, moving(2.0).tcp_pose)


def test_before_the_history_the_arm_was_where_it_began(history):
    oldest = history.at(0)
    assert history.at(-S).tcp_pose[0, 0] == oldest.tcp_pose[0, 0]
    assert oldest.tcp_pose[0, 0] == pytest.approx(moving(1.4).tcp_pose[0, 0], abs=1e-3)  # forgotten before its span
    history.begin(moving(5.0))
    assert history.at(0).tcp_pose[0, 0] == moving(5.0).tcp_pose[0, 0]


def test_a_state_that_was_kept_after_an_implausible_reading_adds_nothing(history):
    history.add(moving(1.5))
    history.add(moving(2.0))
    assert history.at(2 * S).tcp_pose[0, 0] == moving(2.0).tcp_pose[0, 0]

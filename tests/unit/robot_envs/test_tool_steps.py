import numpy as np
import pytest

from steadyhand.robot_envs.env_config import EnvConfig
from steadyhand.robot_envs.tool_steps import ToolSteps

POSE = np.array([[0.5, 0.0, 0.3, 0.0, 0.0, 0.0, 1.0]])
WIDTH = np.array([0.03])


def steps(learns_gripper=True) -> ToolSteps:
    return ToolSteps(EnvConfig(0.1, 100, 0.02, 0.1, learns_gripper, 0.08), 1)


def action(*entries):
    return np.array([*entries, *[0.0] * (7 - len(entries))])


def test_a_step_is_scaled_and_clipped():
    command = steps().command(action(0.5, -9.0), POSE, WIDTH)
    np.testing.assert_allclose(command.tcp_pose[0, :3], [0.51, -0.02, 0.3])


@pytest.mark.parametrize(("entry", "width"), [(1.0, 0.08), (-1.0, 0.0), (0.0, 0.03)])
def test_the_last_entry_opens_and_closes_the_gripper(entry, width):
    assert steps().command(action(0, 0, 0, 0, 0, 0, entry), POSE, WIDTH).gripper_width.tolist() == [width]


def test_without_a_motion_the_pose_is_held_until_it_is_released():
    one, drifted = steps(), POSE + np.array([0.001, 0, 0, 0, 0, 0, 0])
    one.command(action(0.5), POSE, WIDTH)
    assert one.is_moving
    one.command(action(), POSE, WIDTH)
    assert not one.is_moving
    assert np.array_equal(one.command(action(), drifted, WIDTH).tcp_pose, POSE)
    one.release()
    assert np.array_equal(one.command(action(), drifted, WIDTH).tcp_pose, drifted)


def test_a_fault_of_the_action_reaches_the_gate():
    command = steps(learns_gripper=False).command(np.full(6, np.inf), POSE, WIDTH)
    assert np.isnan(command.tcp_pose).all()
    assert command.gripper_width.tolist() == [0.03]

"""Two robots of one arm each as one robot: frames, failures and the order of a reset. Both arms are simulated ones."""

from dataclasses import replace

import numpy as np
import pytest

from steadyhand.robot_envs.frames import pose_compose, quat_rotate
from steadyhand.robot_envs.robot import RobotCommand, RobotError
from steadyhand.robot_envs.robot_pair import RobotPair
from steadyhand.robot_envs.tasks.task import TOOL_DOWN, TOOL_DOWN_TURNED
from tests.cell_kit import mock_hardware
from tests.robot_kit import make_robot_env

RIGHT_BASE = np.array([1.1, 0.2, 0.0, 0.0, 0.0, 1.0, 0.0])
START = np.array([[0.40, 0.0, 0.2, *TOOL_DOWN], [0.70, 0.0, 0.2, *TOOL_DOWN_TURNED]])
WIDTHS = np.array([0.04, 0.06])
EXACT = [f"robot.imperfections.{name}=0" for name in ("position_noise_m", "rotation_noise_rad")]


class Failing:
    """An arm whose named call fails; it keeps what was called."""

    def __init__(self, robot, fails=""):
        self._robot, self._fails, self.called = robot, fails, []

    def __getattr__(self, name):
        inner = getattr(self._robot, name)
        if not callable(inner):
            return inner

        def call(*arguments):
            self.called.append(name)
            if name == self._fails:
                raise RobotError(f"{name} fails")
            return inner(*arguments)

        return call


def arms():
    return [mock_hardware("task=reach", *EXACT).robot for _ in range(2)]


def wait(pair, seconds):
    for arm in pair._arms:
        arm.world.clock.sleep_until(arm.world.clock.now_ns() + round(seconds * 1e9))


@pytest.fixture
def pair():
    left, right = arms()
    pair = RobotPair(left, right, RIGHT_BASE)
    pair.connect()
    pair.reset(START, WIDTHS, lambda state: True)
    yield pair
    pair.close()


def test_both_arms_are_in_the_frame_of_the_left_one(pair):
    state = pair.read()
    assert state.tcp_pose == pytest.approx(START, abs=2e-3)
    right = pair._arms[1].read()
    assert pose_compose(RIGHT_BASE, right.tcp_pose[0]) == pytest.approx(START[1], abs=2e-3)
    assert state.gripper_width == pytest.approx(WIDTHS, abs=2e-3)
    assert state.joint_position.shape == (2, 7)


def test_a_command_moves_each_arm_in_the_common_frame_and_so_is_its_twist(pair):
    target = START + np.array([[0.02, 0.0, 0, 0, 0, 0, 0], [0.02, 0.01, 0, 0, 0, 0, 0]])
    pair.command(RobotCommand(target, WIDTHS))
    wait(pair, 0.12)
    state = pair.read()
    assert (state.tcp_twist[:, 0] > 0.02).all()
    own = pair._arms[1].read().tcp_twist.reshape(2, 3)
    assert quat_rotate(RIGHT_BASE[None, 3:], own).ravel() == pytest.approx(state.tcp_twist[1])
    wait(pair, 1.0)
    assert pair.read().tcp_pose[:, :3] == pytest.approx(target[:, :3], abs=2e-3)


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("call", ["command", "reset"])
def test_if_one_arm_fails_both_hold(index, call):
    both = arms()
    both[index] = Failing(both[index], call)
    both[1 - index] = Failing(both[1 - index])
    pair = RobotPair(*both, RIGHT_BASE)
    pair.connect()
    arguments = {"command": (RobotCommand(START, WIDTHS),), "reset": (START, WIDTHS, lambda state: True)}
    with pytest.raises(RobotError, match=f"{call} fails"):
        getattr(pair, call)(*arguments[call])
    assert [arm.called[-1] for arm in both] == ["hold", "hold"]


@pytest.mark.parametrize("call", ["hold", "close", "forget_pose"])
def test_an_error_of_one_arm_keeps_the_other_from_nothing(call):
    left, right = arms()
    failing, other = Failing(left, call), Failing(right)
    pair = RobotPair(failing, other, RIGHT_BASE)
    pair.connect()
    with pytest.raises(RobotError, match=f"{call} fails"):
        getattr(pair, call)()
    assert other.called[-1] == call


def test_an_arm_that_cannot_connect_leaves_none_connected():
    left, right = arms()
    pair = RobotPair(left, Failing(right, "connect"), RIGHT_BASE)
    with pytest.raises(RobotError, match="connect fails"):
        pair.connect()
    with pytest.raises(RobotError, match="not connected"):
        left.read()


def test_texts_name_the_arm(pair):
    class Faulty(Failing):
        def read(self):
            return replace(self._robot.read(), fault="brake", ok=np.array([False]), silent_source="joints")

    left, right = pair._arms
    state = RobotPair(left, Faulty(right), RIGHT_BASE).read()
    assert (state.fault, state.silent_source, state.ok.tolist()) == ("right: brake", "right: joints", [True, False])


def test_arms_of_different_kinds_are_refused_in_one_line():
    left, right = mock_hardware("task=reach").robot, mock_hardware("task=reach", "robot=mock_ur5e").robot
    pair = RobotPair(left, right, RIGHT_BASE)
    pair.connect()
    with pytest.raises(RobotError, match="as many joints, found 7 and 6"):
        pair.read()


def test_a_pair_of_a_pair_is_refused():
    pair = make_robot_env("task=handover").robot
    with pytest.raises(RobotError, match="left arm: expected a robot of one arm, found 2"):
        RobotPair(pair, pair, RIGHT_BASE)

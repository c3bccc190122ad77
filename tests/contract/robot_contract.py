"""What every robot must do. A test class inherits `RobotContract` and gives a robot."""

from __future__ import annotations

import numpy as np
import pytest

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.robot import RobotCommand, RobotError

TOOL_DOWN = np.array([1.0, 0.0, 0.0, 0.0])


class RobotContract:
    """`make_robot` gives an unconnected robot; `wait` lets `seconds` pass for it."""

    start = frames.pose(np.array([[0.5, 0.0, 0.25]]), TOOL_DOWN)

    def make_robot(self):
        raise NotImplementedError("a test of a robot says how to make one")

    def wait(self, robot, seconds: float) -> None:
        raise NotImplementedError("a test of a robot says how time passes")

    @pytest.fixture
    def robot(self):
        robot = self.make_robot()
        robot.connect()
        robot.reset(self.start, np.array([0.04]), lambda state: True)
        yield robot
        robot.close()

    def test_refuses_before_connect(self):
        robot = self.make_robot()
        with pytest.raises(RobotError, match="connect"):
            robot.read()
        with pytest.raises(RobotError, match="connect"):
            robot.command(RobotCommand(self.start, np.array([0.04])))

    def test_state_has_the_promised_shapes_and_is_finite(self, robot):
        state = robot.read()
        n = robot.n_arms
        assert state.tcp_pose.shape == (n, 7)
        assert state.tcp_twist.shape == (n, 6)
        assert state.wrench.shape == (n, 6)
        assert state.joint_position.shape == state.joint_velocity.shape == (n, 7)
        assert state.gripper_width.shape == (n,)
        assert state.ok.all()
        assert state.is_finite()
        assert np.linalg.norm(state.tcp_pose[:, 3:], axis=1) == pytest.approx(1.0)

    def test_reset_ends_at_rest_at_the_pose_with_a_tared_wrench(self, robot):
        state = robot.read()
        assert state.tcp_pose[0, :3] == pytest.approx(self.start[0, :3], abs=2e-3)
        assert np.abs(state.tcp_twist).max() < 0.01
        assert np.abs(state.wrench[:, :3]).max() < 3.0

    def test_stamps_rise(self, robot):
        first = robot.read().stamp_ns
        self.wait(robot, 0.05)
        assert robot.read().stamp_ns > first

    def test_follows_a_command(self, robot):
        target = self.start.copy()
        target[0, :3] += [0.01, -0.01, 0.01]
        robot.command(RobotCommand(target, np.array([0.04])))
        self.wait(robot, 1.0)
        assert robot.read().tcp_pose[0, :3] == pytest.approx(target[0, :3], abs=2e-3)

    def test_hold_stops_where_the_arm_is(self, robot):
        target = self.start.copy()
        target[0, 0] += 0.05
        robot.command(RobotCommand(target, np.array([0.04])))
        self.wait(robot, 0.1)
        robot.hold()
        held = robot.read().tcp_pose[0, :3]
        self.wait(robot, 2.0)
        assert robot.read().tcp_pose[0, :3] == pytest.approx(held, abs=0.02)
        assert np.abs(robot.read().tcp_twist[:, :3]).max() < 5e-3

    def test_gripper_opens_and_closes(self, robot):
        for width in (0.06, 0.01):
            robot.command(RobotCommand(self.start, np.array([width])))
            self.wait(robot, 1.0)
            assert robot.read().gripper_width[0] == pytest.approx(width, abs=4e-3)

    def test_pose_out_of_reach_is_refused(self, robot):
        with pytest.raises(RobotError, match="reach"):
            robot.reset(frames.pose(np.array([[3.0, 0.0, 0.2]]), TOOL_DOWN), np.array([0.04]), lambda state: True)

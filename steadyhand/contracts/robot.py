"""Conformance tests of a robot."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.hardware import Hardware, find_robot
from steadyhand.robot_envs.robot import Robot, RobotCommand, RobotError, RobotState
from steadyhand.robot_envs.tasks.task import TOOL_DOWN
from steadyhand.runtime.config import compose

__all__ = ["RobotContract"]


class RobotContract:
    """Base class of a robot's tests: derive and set `group`.

    The tool moves 5 cm around `start_position_m`, pointing down. A robot of several arms overrides `start`.

    Attributes:
        group: The override that chooses the robot, such as `robot=mock`.
        overrides: More overrides; the task determines the scene around the robot.
        n_joints: Joints of each arm.
        start_position_m: Start position of the tool centre point; base frame.
        far_position_m: A position beyond the arm's reach; base frame.
        tolerance_m: Largest position error of a reached pose.
        rest_force_n: Largest force that a tared wrench shows at rest.
    """

    group: str
    overrides: tuple[str, ...] = ("task=reach",)
    n_joints: int
    start_position_m: tuple[float, float, float] = (0.5, 0.0, 0.25)
    far_position_m: tuple[float, float, float] = (3.0, 0.0, 0.2)
    tolerance_m: float = 2e-3
    rest_force_n: float = 3.0
    hardware: Hardware

    def make_robot(self) -> Robot:
        """Make the robot, not yet connected."""
        config = compose([*self.overrides, self.group])
        self.hardware = find_robot(config["robot"]).make(config["task"]["scene"]).make()
        return self.hardware.robot

    def wait(self, robot: Robot, seconds: float) -> None:
        """Let `seconds` pass for the robot."""
        clock = self.hardware.clock
        clock.sleep_until(clock.now_ns() + round(seconds * 1e9))

    @property
    def start(self) -> Array:
        """The poses (n_arms, 7) that every test begins with."""
        return frames.pose(np.array([self.start_position_m]), TOOL_DOWN)

    def widths(self, width_m: float) -> Array:
        """Return an opening for the gripper of every arm. Shape (n_arms,)."""
        return np.full(len(self.start), width_m)

    @pytest.fixture
    def robot(self) -> Iterator[Robot]:
        """The robot, connected and at the start."""
        robot = self.make_robot()
        robot.connect()
        robot.reset(self.start, self.widths(0.04), _go_on)
        yield robot
        robot.close()

    def test_refuses_before_connect(self) -> None:
        """A robot that is not connected refuses reads and commands."""
        robot = self.make_robot()
        with pytest.raises(RobotError, match="connect"):
            robot.read()
        with pytest.raises(RobotError, match="connect"):
            robot.command(RobotCommand(self.start, self.widths(0.04)))

    def test_state_has_the_promised_shapes_and_is_finite(self, robot: Robot) -> None:
        """Shapes are those of `RobotState`; quaternions have length 1."""
        state = robot.read()
        n = robot.n_arms
        assert state.tcp_pose.shape == (n, 7)
        assert state.tcp_twist.shape == (n, 6)
        assert state.wrench.shape == (n, 6)
        assert state.joint_position.shape == state.joint_velocity.shape == (n, self.n_joints)
        assert state.gripper_width.shape == (n,)
        assert state.ok.all()
        assert state.is_finite()
        assert np.linalg.norm(state.tcp_pose[:, 3:], axis=1) == pytest.approx(1.0)

    def test_reset_ends_at_rest_at_the_pose_with_a_tared_wrench(self, robot: Robot) -> None:
        """After a reset the arm rests at the requested pose."""
        state = robot.read()
        assert state.tcp_pose[:, :3] == pytest.approx(self.start[:, :3], abs=self.tolerance_m)
        assert np.abs(state.tcp_twist).max() < 0.01
        assert np.abs(state.wrench[:, :3]).max() < self.rest_force_n

    def test_stamps_rise(self, robot: Robot) -> None:
        """A later reading has a later stamp."""
        first = robot.read().stamp_ns
        self.wait(robot, 0.05)
        assert robot.read().stamp_ns > first

    def test_follows_a_command(self, robot: Robot) -> None:
        """The arm goes to a pose nearby."""
        target = self.start.copy()
        target[:, :3] += [0.01, -0.01, 0.01]
        robot.command(RobotCommand(target, self.widths(0.04)))
        self.wait(robot, 1.0)
        assert robot.read().tcp_pose[:, :3] == pytest.approx(target[:, :3], abs=self.tolerance_m)

    def test_hold_stops_where_the_arm_is(self, robot: Robot) -> None:
        """A hold ends a running motion."""
        target = self.start.copy()
        target[:, 0] += 0.05
        robot.command(RobotCommand(target, self.widths(0.04)))
        self.wait(robot, 0.1)
        robot.hold()
        held = robot.read().tcp_pose[:, :3]
        self.wait(robot, 2.0)
        assert robot.read().tcp_pose[:, :3] == pytest.approx(held, abs=0.02)
        assert np.abs(robot.read().tcp_twist[:, :3]).max() < 5e-3

    def test_gripper_opens_and_closes(self, robot: Robot) -> None:
        """A gripper, where there is one, goes to the commanded width."""
        if not robot.has_gripper:
            pytest.skip("the robot has no gripper")
        for width in (0.06, 0.01):
            robot.command(RobotCommand(self.start, self.widths(width)))
            self.wait(robot, 1.0)
            assert robot.read().gripper_width == pytest.approx(self.widths(width), abs=4e-3)

    def test_pose_out_of_reach_is_refused(self, robot: Robot) -> None:
        """A pose beyond the arm's reach raises an error that says so."""
        far = self.start
        far[-1, :3] = self.far_position_m
        with pytest.raises(RobotError, match="reach"):
            robot.reset(far, self.widths(0.04), _go_on)


def _go_on(state: RobotState) -> bool:
    return True

"""The arm behind ROS 2 passes the same contract as the mock, through the watchdog and real DDS."""

import time

import numpy as np
import pytest
from actor_kit import Bench
from ros_kit import wait_until
from std_srvs.srv import Trigger

from actor_ros.ros_robot import RosRobot
from steadyhand.contracts.robot import RobotContract
from steadyhand.robot_envs.robot import RobotCommand
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.runtime.build import build

PERIOD_S = 0.1


class SteadyRobot(RosRobot):
    """Repeats its last command, as the control loop would: without commands the watchdog holds the arm."""

    last = None

    def command(self, command):
        super().command(command)
        self.last = command

    def hold(self):
        super().hold()
        self.last = None


@pytest.fixture(scope="module")
def bench(dds, tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp("bench"))
    bench.cell = bench.make_cell()
    yield bench
    bench.close()


class TestRosRobot(RobotContract):
    n_joints = 7

    @pytest.fixture(autouse=True)
    def _bench(self, bench):
        self.bench = bench
        wait_until(lambda: not bench.cell.sources.silent(), "every source")
        bench.rearm()
        bench.allowed = True

    def make_robot(self):
        cell = self.bench.cell
        limits = build(SafetyLimits, self.bench.config["safety"])
        return SteadyRobot(cell.link, limits, PERIOD_S, cell.clock, cell._set_gains, lambda: self.bench.allowed)

    def wait(self, robot, seconds):
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            if robot.last is not None:
                robot.command(robot.last)
            robot._clock.sleep_until(robot._clock.now_ns() + round(1e9 * min(PERIOD_S, until - now)))

    def test_gains_are_those_for_the_policy_after_a_reset(self, robot):
        assert self.bench.cell.gains == {"task.k_pos": 2000.0, "task.k_rot": 150.0}

    def test_a_reset_ends_early_and_holds_when_motion_is_no_longer_allowed(self, robot):
        self.bench.allowed = False
        away = self.start.copy()
        away[0, 1] += 0.2
        state = robot.reset(away, np.array([0.04]), lambda state: True)
        assert abs(state.tcp_pose[0, 1] - self.start[0, 1]) < 0.02

    def test_a_fault_is_told_and_nothing_is_followed(self, robot):
        probe = self.bench.probe
        probe.call(Trigger, "mock_robot/inject_fault")
        wait_until(lambda: not robot.read().ok.all(), "the fault")
        assert self.bench.faults
        before = robot.read().tcp_pose[0, :3]
        target = self.start.copy()
        target[0, :3] += [0.03, 0.0, 0.0]
        robot.command(RobotCommand(target, np.array([0.04])))
        self.wait(robot, 0.5)
        assert robot.read().tcp_pose[0, :3] == pytest.approx(before, abs=5e-3)
        for step in ("error_recovery", "activate_controller"):
            assert probe.call(Trigger, f"mock_robot/{step}").success
        wait_until(lambda: self.bench.cell.link.is_well, "the robot's word that it is well")
        assert robot.read().fault.startswith("watchdog")
        robot.last = None
        self.bench.rearm()
        wait_until(lambda: robot.read().ok.all(), "an arm that may move again")

    def test_an_arm_that_was_only_read_gets_no_target_when_the_robot_is_closed(self, robot, monkeypatch):
        link, sent = self.bench.cell.link, []
        monkeypatch.setattr(link._command, "publish", sent.append)
        link.has_commanded = False
        reader = self.make_robot()
        reader.connect()
        reader.read()
        reader.close()
        assert not sent
        moved = self.make_robot()
        moved.connect()
        moved.command(RobotCommand(moved.read().tcp_pose, np.array([0.04])))
        moved.close()
        assert len(sent) == 2  # the command and the hold

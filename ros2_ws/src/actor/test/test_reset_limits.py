"""Resets against an obstacle, and tares while pressed: an arm on a spring before a wall of 2 kN/m, simulated."""

from dataclasses import replace

import numpy as np
import pytest

from actor_ros import ros_robot
from actor_ros.ros_robot import RosRobot
from steadyhand.robot_envs.profile import RosRobotConfig
from steadyhand.robot_envs.robot import RobotError
from steadyhand.robot_envs.safety.gate import SafetyGate, StopReason
from steadyhand.robot_envs.safety.tare import TareError
from steadyhand.runtime.build import build
from steadyhand.runtime.clock import FakeClock
from steadyhand.runtime.config import compose
from tests.robot_kit import TOOL_DOWN, limits

PERIOD_S, NS = 0.1, 1_000_000_000
ARM_N_M, WALL_N_M = 600.0, 2000.0
HOME = np.concatenate([[0.5, 0.0, 0.2], TOOL_DOWN])
PROFILE = build(
    RosRobotConfig, {key: compose(["robot=mock_ros"])["robot"][key] for key in ("kind", "profile")}, "robot"
).profile


class WalledArm:
    """Stands for the link: an impedance of 600 N/m, and a wall at `wall_m` in y. Also the sources and the clock."""

    def __init__(self, wall_m: float = np.inf, pressed_n: float = 0.0) -> None:
        self.clock = FakeClock(NS)
        self.profile, self.sources = PROFILE, self
        self.frame_fault = self.watchdog_stop = ""
        self.is_well, self.is_passing = True, True
        self.wall_m, self.pressed_n = wall_m, pressed_n
        self.target, self.now = HOME.copy(), HOME.copy()
        self.forces: list[float] = []
        self.targets: list[np.ndarray] = []
        self.lies: dict[int, np.ndarray] = {}
        self.reads = 0

    def sleep_until(self, t_ns: int) -> None:
        """The spring pulls the arm towards its target with a time constant of 50 ms, or against the wall."""
        while self.clock.now_ns() < t_ns:
            self.clock.advance_ns(NS // 200)
            rest = self.target.copy()
            if rest[1] > self.wall_m:
                rest[1] = (ARM_N_M * rest[1] + WALL_N_M * self.wall_m) / (ARM_N_M + WALL_N_M)
            self.now[:3] += 0.1 * (rest[:3] - self.now[:3])
            self.now[3:] = rest[3:]
            self.forces.append(self.force)

    def now_ns(self) -> int:
        return self.clock.now_ns()

    @property
    def force(self) -> float:
        return WALL_N_M * max(self.now[1] - self.wall_m, 0.0) + self.pressed_n

    def silent(self):
        return ()

    def objection(self) -> str:
        return ""

    def reading(self, topic: str):
        found = self.newest(topic) if topic == PROFILE.topics.joint_states else self.pose()
        return found, self.clock.now_ns()

    def pose(self) -> np.ndarray:
        self.reads += 1
        return self.lies.get(self.reads, self.now).copy()

    def newest(self, topic: str):
        topics = PROFILE.topics
        if topic == topics.joint_states:
            return np.zeros(7), np.zeros(7)
        if topic == topics.twist:
            return np.zeros(6)
        return np.array([0.0, -self.force, 0.0, 0.0, 0.0, 0.0]) if topic == topics.wrench else 0.04

    def command(self, target, measured) -> None:
        self.targets.append(target.copy())
        self.target = target.copy()

    def gripper(self, width_m: float) -> None:
        pass


def make_robot(arm: WalledArm, own) -> RosRobot:
    robot = RosRobot(arm, own, PERIOD_S, arm, lambda name: None, lambda: True)
    robot.connect()
    return robot


def go(arm: WalledArm, gate: SafetyGate, by_y: float = 0.15):
    goal = HOME.copy()
    goal[1] += by_y
    return make_robot(arm, gate.limits).reset(
        goal[None], np.array([0.04]), lambda state: gate.check_state(state, arm.now_ns()) is None
    )


def test_a_reset_into_an_obstacle_stops_at_the_force_limit(record_property):
    arm, gate = WalledArm(wall_m=0.08), SafetyGate(limits(max_force_n=5.0), PERIOD_S)
    state = go(arm, gate)
    assert gate.stop_reason is StopReason.FORCE_LIMIT
    arm.sleep_until(arm.now_ns() + 2 * NS)
    record_property("peak_force_n", max(arm.forces))
    assert max(arm.forces) < 7.0, "one command of the reset, 20 ms, before the reading that stops it"
    assert arm.force < 5.0, "the hold gives way"
    assert state.tcp_pose[0, 1] < 0.1


def test_without_the_judgement_it_would_press_on():
    arm = WalledArm(wall_m=0.08)
    goal = HOME.copy()
    goal[1] += 0.15
    with pytest.raises(RobotError, match="cannot be reached"):
        make_robot(arm, limits(max_force_n=5.0)).reset(goal[None], np.array([0.04]), lambda state: True)
    assert max(arm.forces) > 10.0
    assert np.sum(np.array(arm.forces) > 5.0) * 0.005 > 5.0, "for seconds"


def test_a_reset_in_free_space_keeps_the_speed_from_command_to_command():
    arm, gate = WalledArm(), SafetyGate(limits(), PERIOD_S)
    state = go(arm, gate, 0.2)
    assert gate.stop_reason is None
    assert state.tcp_pose[0, 1] == pytest.approx(0.2, abs=2e-3)
    steps = np.linalg.norm(np.diff(np.array(arm.targets)[:, :3], axis=0), axis=1)
    assert steps.max() <= 0.25 * ros_robot._STEP_S + 1e-9
    assert steps.max() > 0.9 * 0.25 * ros_robot._STEP_S, "nearly as fast as the limits allow"


def test_a_reset_is_never_farther_ahead_of_the_arm_than_the_watchdog_allows():
    arm, gate = WalledArm(), SafetyGate(limits(), PERIOD_S)
    ahead = []
    passed_on = arm.command

    def command(target, measured):
        ahead.append(float(np.linalg.norm(target[:3] - measured[:3])))
        passed_on(target, measured)

    arm.command = command
    arm.profile = replace(PROFILE, watchdog=replace(PROFILE.watchdog, max_jump_m=0.02))
    go(arm, gate, 0.2)
    assert 0.01 < max(ahead) <= 0.02


def test_a_tare_while_pressed_is_refused_and_the_old_one_stays(record_property):
    arm, gate = WalledArm(pressed_n=80.0), SafetyGate(limits(max_force_n=100.0), PERIOD_S)
    robot = make_robot(arm, gate.limits)
    with pytest.raises(TareError, match=r"cannot tare: 80\.0 N and 0\.00 Nm at rest, expected at most 15 N"):
        robot.reset(HOME[None], np.array([0.04]), lambda state: True)
    assert np.abs(robot.read().wrench).max() == pytest.approx(80.0)
    with pytest.raises(TareError):
        robot.tare()


def test_a_wrong_reading_during_a_reset_moves_nothing():
    arm, gate = WalledArm(), SafetyGate(limits(), PERIOD_S)
    arm.lies = {read: HOME + np.array([0.4, 0.3, 0.2, 0, 0, 0, 0]) for read in (7, 15)}
    state = go(arm, gate, 0.2)
    assert gate.stop_reason is None
    assert state.tcp_pose[0, 1] == pytest.approx(0.2, abs=2e-3)
    steps = np.linalg.norm(np.diff(np.array(arm.targets)[:, :3], axis=0), axis=1)
    assert steps.max() <= 0.25 * PERIOD_S + 1e-9


def test_holding_again_asks_for_the_same_pose():
    arm, gate = WalledArm(), SafetyGate(limits(), PERIOD_S)
    robot = make_robot(arm, gate.limits)
    arm.target = HOME + np.array([0.0, 0.02, 0, 0, 0, 0, 0])
    arm.sleep_until(arm.now_ns() + NS // 20)
    robot.hold()
    held = arm.targets[-1]
    for _ in range(100):
        arm.sleep_until(arm.now_ns() + NS // 10)
        robot.hold()
    assert np.ptp(np.array(arm.targets)[:, 1]) == 0.0
    assert arm.targets[-1] == pytest.approx(held)

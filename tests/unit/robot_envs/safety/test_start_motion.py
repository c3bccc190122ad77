import numpy as np
import pytest

from steadyhand.robot_envs.robot import RobotError
from steadyhand.robot_envs.safety.start_motion import StartMotion
from steadyhand.robot_envs.safety.tare import TareError
from steadyhand.runtime.clock import FakeClock
from tests.robot_kit import TOOL_DOWN, limits, state

PERIOD_S, SETTLES_S = 0.02, 0.1
START = np.array([0.5, 0.0, 0.2, *TOOL_DOWN])
TARGET = np.array([0.45, 0.08, 0.15, *TOOL_DOWN])
ABOVE = np.array([0.6, 0.0, 0.3, *TOOL_DOWN])
OUTSIDE = np.array([0.45, 0.58, 0.15, *TOOL_DOWN])
STIFFNESS, MASS, DAMPING_RATIO = 3000.0, 5.0, 0.4  # N/m, kg
PRESSED_N = np.array([0.0, 0.0, -12.0])  # what friction, or a wrong payload, leaves: 4 mm at that stiffness


class ImpedanceArm:
    """A mass on the spring and the damper of an impedance controller that swings, under a constant force."""

    def __init__(self, clock: FakeClock, wall_m: float = -np.inf) -> None:
        self.clock, self.wall_m = clock, wall_m
        self.position, self.velocity = START[:3].copy(), np.zeros(3)
        self.target, self.gains, self.held = START.copy(), [], False
        self.wrench = np.zeros(6)

    def read(self):
        twist = np.concatenate([self.velocity, np.zeros(3)])
        pose = np.concatenate([self.position, TOOL_DOWN])
        return state(stamp_ns=self.clock.now_ns(), tcp_pose=pose[None], tcp_twist=twist[None])

    def lead(self, target, measured):
        self.target = target.copy()
        damping = 2.0 * DAMPING_RATIO * np.sqrt(STIFFNESS * MASS)
        for _ in range(20):
            force = STIFFNESS * (self.target[:3] - self.position) - damping * self.velocity + PRESSED_N
            self.velocity += force / MASS * PERIOD_S / 20
            self.position += self.velocity * PERIOD_S / 20
        if self.position[0] < self.wall_m:
            self.position[0], self.velocity[0] = self.wall_m, 0.0

    def hold(self):
        self.held = True

    def set_gains(self, name):
        self.gains.append(name)

    def raw_wrench(self):
        return self.wrench


@pytest.fixture
def clock():
    return FakeClock()


def start_motion(arm, clock, **changes):
    return StartMotion(arm, limits(**changes), PERIOD_S, 0.1, SETTLES_S, clock)


def test_the_arm_comes_to_rest_at_its_start_against_a_constant_force(clock):
    arm = ImpedanceArm(clock)
    motion = start_motion(arm, clock)
    motion.begin(TARGET)
    tare = motion.run(TARGET, lambda _: True)
    assert np.linalg.norm(arm.position - TARGET[:3]) < 1.5e-3
    assert np.abs(arm.velocity).max() < 0.02
    assert tare == pytest.approx(np.zeros(6))
    assert arm.gains == ["precision", "compliance"]


def test_a_later_reset_begins_with_the_steady_error_of_the_first(clock):
    """Without it each of them takes 1.5 s: 0.11 m take 0.44 s at full speed, and the rest finds the error anew."""
    arm = ImpedanceArm(clock)
    motion, seconds = start_motion(arm, clock), []
    for _ in range(3):
        for place in (TARGET, START):
            began_ns = clock.now_ns()
            motion.begin(place)
            motion.run(place, lambda _: True)
            seconds.append((clock.now_ns() - began_ns) / 1e9)
            assert np.linalg.norm(arm.position - place[:3]) < 1.5e-3
    assert max(seconds[2::2]) < 1.0 < seconds[0]


def test_a_blocked_reset_leaves_no_steady_error(clock):
    arm = ImpedanceArm(clock, wall_m=0.47)
    motion = start_motion(arm, clock)
    motion.begin(TARGET)
    with pytest.raises(RobotError):
        motion.run(TARGET, lambda _: True)
    arm.wall_m = -np.inf
    motion.begin(START)
    motion.run(START, lambda _: True)
    began_ns = clock.now_ns()
    motion.begin(TARGET)
    motion.run(TARGET, lambda _: True)
    assert clock.now_ns() - began_ns < 1.0e9


def test_an_arm_below_its_start_goes_up_first(clock):
    arm = ImpedanceArm(clock)
    motion, way = start_motion(arm, clock), []
    motion.begin(ABOVE)
    motion.run(ABOVE, lambda reading: way.append(reading.tcp_pose[0, :3]) or True)
    sideways = next(place for place in way if place[0] > START[0] + 0.005)
    assert sideways[2] > ABOVE[2] - 0.02


def test_a_reading_that_is_refused_ends_the_motion_and_the_arm_holds(clock):
    arm = ImpedanceArm(clock)
    motion = start_motion(arm, clock)
    motion.begin(TARGET)
    assert motion.run(TARGET, lambda reading: reading.stamp_ns < 2e8) is None
    assert arm.held
    assert clock.now_ns() < 3e8


def test_an_obstacle_is_named_and_the_arm_holds(clock):
    arm = ImpedanceArm(clock, wall_m=0.47)
    motion = start_motion(arm, clock)
    motion.begin(TARGET)
    with pytest.raises(RobotError, match="look what is in its way"):
        motion.run(TARGET, lambda _: True)
    assert arm.held


def test_a_start_outside_the_workspace_moves_nothing(clock):
    arm = ImpedanceArm(clock)
    with pytest.raises(RobotError, match="outside the workspace"):
        start_motion(arm, clock).begin(OUTSIDE)
    assert not arm.gains


def test_a_pressed_tool_is_not_tared(clock):
    arm = ImpedanceArm(clock)
    arm.wrench = np.array([0.0, 0.0, 40.0, 0.0, 0.0, 0.0])
    motion = start_motion(arm, clock)
    motion.begin(TARGET)
    with pytest.raises(TareError):
        motion.run(TARGET, lambda _: True)

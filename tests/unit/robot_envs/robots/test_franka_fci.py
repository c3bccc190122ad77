"""A Franka arm over FCI: a real libfranka client against franky-sim, which is killed, pushed and put into reflex."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from steadyhand.robot_envs.make import make_env
from steadyhand.robot_envs.robot import RobotError
from steadyhand.robot_envs.safety.tare import TareError
from steadyhand.robot_envs.teachable import StopLatchedError
from steadyhand.runtime.build import ConfigError

pytest.importorskip("franky")
pytest.importorskip("franky_sim")

from tests.franka_kit import (
    CLOCK,
    ROOT,
    WIDTH,
    FrankaSim,
    at,
    config,
    follow,
    free_address,
    go_on,
    make_robot,
    wait,
    wait_until,
)

# One arm at a time: each needs most of a core for its 1 kHz.
pytestmark = [pytest.mark.slow, pytest.mark.realtime, pytest.mark.xdist_group("fci")]

HOME = (0.1, -0.7, 0.1, -2.3, 0.0, 1.6, 0.9)
MAX_SPEED, MAX_ACCELERATION = 0.25, 5.0  # m/s and m/s^2, of configs/safety/default.yaml
WINDOW = 10  # states of 1 ms between two positions of a difference


@pytest.fixture(scope="module")
def sim():
    sim = FrankaSim()
    yield sim
    sim.kill()


@pytest.fixture
def own_sim():
    sim = FrankaSim()
    yield sim
    sim.kill()


@pytest.fixture
def connect():
    """Connects a robot to a simulated arm, and disconnects it after the test."""
    robots = []

    def connect(sim, *overrides):
        robots.append(make_robot(sim.address, *overrides))
        robots[-1].connect()
        return robots[-1]

    yield connect
    for robot in robots:
        robot.close()


@pytest.fixture
def connected(sim, connect):
    yield lambda *overrides: connect(sim, *overrides)
    sim.ask("push", *[0.0] * 6)


def joint_speed(joints):
    """Return the largest speed of a joint [rad/s]; a resting one of the simulation trembles from state to state."""
    return float(np.abs(joints[WINDOW:] - joints[:-WINDOW]).max()) / (WINDOW * 1e-3)


def rates(positions):
    """Return the largest speed [m/s] and acceleration [m/s^2] of the tool."""
    velocity = (positions[WINDOW:] - positions[:-WINDOW]) / (WINDOW * 1e-3)
    acceleration = (velocity[WINDOW:] - velocity[:-WINDOW]) / (WINDOW * 1e-3)
    return np.linalg.norm(velocity, axis=1).max(), np.linalg.norm(acceleration, axis=1).max()


def zigzag(steps):
    """Targets 4 cm apart that reverse every 0.3 s."""
    return [at(0.5, 0.02 * (1 if step // 3 % 2 else -1)) for step in range(steps)]


def test_targets_at_ten_hertz_are_followed(sim, connected, record_property):
    robot = connected()
    robot.reset(at(0.45), WIDTH, go_on)
    sim.ask("forget")
    line = [at(0.45 + 0.01 * step) for step in range(1, 13)]
    found = follow(robot, line)
    speed, _ = rates(sim.trace()[0])
    record_property("lag_mm", 1e3 * float(np.linalg.norm(found - np.array(line)[:, 0, :3], axis=1).max()))
    assert np.linalg.norm(found - np.array(line)[:, 0, :3], axis=1).max() < 0.03
    assert 0.05 < speed < MAX_SPEED
    assert follow(robot, [line[-1]] * 10)[-1] == pytest.approx(line[-1][0, :3], abs=2.5e-3)


# With springs that see 5 cm, nothing but the watchdog keeps a target that jumps from a force of 100 N.
SOFT_LIMIT = "robot.impedance.reference_limit_m=0.05"


def test_a_new_target_preempts_the_last_without_a_jump(sim, connected, record_property):
    robot = connected(SOFT_LIMIT)
    robot.reset(at(0.5), WIDTH, go_on)
    sim.ask("forget")
    found = follow(robot, zigzag(24))
    acceleration = rates(sim.trace()[0])[1]
    record_property("acceleration_m_s2", float(acceleration))
    assert np.ptp(found[:, 1]) > 0.01
    assert acceleration < 1.1 * MAX_ACCELERATION


def test_without_the_watchdog_the_same_targets_jump(sim, connected, record_property):
    import franky

    robot = connected(SOFT_LIMIT)
    robot.reset(at(0.5), WIDTH, go_on)
    motion = robot._follower._motion
    robot._follower._leads = False  # the targets go to the controller at once
    sim.ask("forget")
    for target in zigzag(12):
        motion.set_reference(franky.CartesianReference(franky.Affine(target[0, :3], target[0, 3:])))
        wait(0.1)
    acceleration = rates(sim.trace()[0])[1]
    record_property("acceleration_m_s2", float(acceleration))
    assert acceleration > 1.2 * MAX_ACCELERATION


def test_an_arm_that_was_never_led_holds_by_itself(connected):
    robot = connected()
    robot.hold()
    wait(0.1)
    assert not robot._follower.is_leading
    assert robot.read().ok.all()


def test_without_commands_the_arm_brakes_and_holds(sim, connected):
    robot = connected("robot.watchdog.command_timeout_s=0.15")
    robot.reset(at(0.45), WIDTH, go_on)
    found = follow(robot, [at(0.45 + 0.02 * step) for step in range(1, 6)])
    wait(0.5)
    sim.ask("forget")
    wait(0.5)
    positions, joints = sim.trace()
    assert joint_speed(joints) < 0.02
    assert positions[-1, 0] == pytest.approx(found[-1, 0], abs=0.04)


def test_the_wrench_is_that_of_the_environment_on_the_tool_and_tared(sim, connected):
    robot = connected()
    sim.ask("push", 0.0, 0.0, -4.0, 0.0, 0.0, 0.0)
    state = robot.reset(at(0.5), WIDTH, go_on)
    assert state.wrench[0] == pytest.approx(np.zeros(6), abs=1e-6)
    sim.ask("push", 1.0, 2.0, -9.0, 0.1, 0.2, 0.3)
    wait_until(lambda: robot.read().wrench[0, 0] != 0.0, "another wrench")
    assert robot.read().wrench[0] == pytest.approx([1.0, 2.0, -5.0, 0.1, 0.2, 0.3], abs=1e-5)
    sim.ask("push", 0.0, 0.0, -40.0, 0.0, 0.0, 0.0)
    with pytest.raises(TareError, match=r"cannot tare: 40\.0 N"):
        robot.reset(at(0.5), WIDTH, go_on)


class TestReflex:
    def test_it_is_named_and_the_arm_follows_nothing(self, sim, connected):
        robot = connected()
        robot.reset(at(0.5), WIDTH, go_on)
        follow(robot, [at(0.51), at(0.52)])
        sim.ask("reflex", "cartesian_reflex")
        wait_until(lambda: not robot.read().ok.all(), "fault")
        assert robot.read().fault == "reflex: cartesian_reflex"
        wait(0.3)
        before = robot.read().tcp_pose[0, :3]
        found = follow(robot, [at(0.55)] * 5)
        assert found[-1] == pytest.approx(before, abs=1e-3)
        robot.reset(at(0.5), WIDTH, go_on)

    def test_the_reset_after_the_operators_resume_recovers(self, sim, connected):
        robot = connected()
        robot.reset(at(0.5), WIDTH, go_on)
        sim.ask("reflex", "joint_reflex")
        wait_until(lambda: not robot.read().ok.all(), "fault")
        state = robot.reset(at(0.48), WIDTH, lambda state: bool(state.ok.all()))
        assert state.ok.all()
        assert not state.fault
        assert state.tcp_pose[0, :3] == pytest.approx(at(0.48)[0, :3], abs=2e-3)

    def test_a_reset_clears_no_reflex_that_was_never_reported(self, sim, connected):
        robot = connected()
        robot.reset(at(0.5), WIDTH, go_on)
        sim.ask("reflex", "joint_reflex")
        wait_until(lambda: robot._follower.fault, "fault")
        state = robot.reset(at(0.48), WIDTH, lambda state: bool(state.ok.all()))
        assert state.fault == "reflex: joint_reflex"
        assert state.tcp_pose[0, :3] == pytest.approx(at(0.5)[0, :3], abs=3e-3)
        robot.reset(at(0.5), WIDTH, go_on)

    def test_recovery_can_be_forbidden(self, sim, connected):
        robot = connected("robot.recovers_on_resume=false")
        robot.reset(at(0.5), WIDTH, go_on)
        sim.ask("reflex", "joint_reflex")
        wait_until(lambda: not robot.read().ok.all(), "fault")
        with pytest.raises(RobotError, match=r"the arm had a fault, reflex: joint_reflex; start again"):
            robot.reset(at(0.5), WIDTH, go_on)
        robot._follower.recover()

    def test_an_episode_stops_and_waits_for_the_operator(self, sim):
        env = make_env(config(sim.address), 0)
        try:
            env.reset(seed=0)
            env.step(np.full(env.action_space.shape, 0.5, np.float32))
            sim.ask("reflex", "cartesian_reflex")
            *_, truncated, info = env.step(np.full(env.action_space.shape, 0.5, np.float32))
            assert truncated
            assert info["stop_reason"] == "robot_fault (reflex: cartesian_reflex)"
            with pytest.raises(StopLatchedError, match="a person has to resume"):
                env.reset(seed=1)
            assert env.unwrapped.resume()
            env.reset(seed=1)
            assert env.unwrapped.stop_reason is None
        finally:
            env.close()


class TestConnection:
    def test_no_arm_at_the_address_is_one_line(self):
        address = free_address()
        with pytest.raises(RobotError, match=f"expected a Franka arm at {address}, found .*; activate FCI") as caught:
            make_robot(address).connect()
        assert "\n" not in str(caught.value)

    def test_an_arm_that_falls_silent_stops_the_robot(self, own_sim, connect):
        robot = connect(own_sim)
        robot.reset(at(0.5), WIDTH, go_on)
        own_sim.ask("silence", 1)
        wait_until(lambda: robot.read().stamp_ns < CLOCK.now_ns() - 400_000_000, "old state")
        wait_until(lambda: robot.read().silent_source, "lost connection")
        assert robot.read().silent_source.startswith(f"FCI of {own_sim.address}: ")

    def test_a_killed_arm_is_connected_again_by_the_next_reset(self, own_sim, connect):
        robot = connect(own_sim)
        robot.reset(at(0.5), WIDTH, go_on)
        own_sim.kill()
        wait_until(lambda: robot.read().silent_source, "lost connection")
        robot.hold()
        with pytest.raises(RobotError, match="expected a Franka arm at") as caught:
            robot.reset(at(0.5), WIDTH, go_on)
        assert "\n" not in str(caught.value)
        own_sim.start()
        state = robot.reset(at(0.5), WIDTH, lambda state: bool(state.ok.all()) and not state.silent_source)
        assert state.tcp_pose[0, :3] == pytest.approx(at(0.5)[0, :3], abs=2e-3)
        assert follow(robot, [at(0.51)] * 10)[-1] == pytest.approx(at(0.51)[0, :3], abs=2e-3)

    def test_the_arm_stops_when_its_client_is_killed(self, sim, record_property):
        code = f"""
        import itertools
        import numpy as np
        from tests import franka_kit as kit
        robot = kit.make_robot({sim.address!r})
        robot.connect()
        robot.reset(kit.at(0.5), kit.WIDTH, kit.go_on)
        print("moving", flush=True)
        for step in itertools.count():
            kit.follow(robot, [kit.at(0.5, 0.1 * np.sin(0.2 * step))])
        """
        client = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert "moving\n" in iter(client.stdout.readline, "")
        wait(1.0)
        sim.ask("forget")
        wait(0.5)
        moving = joint_speed(sim.trace()[1])
        client.send_signal(signal.SIGKILL)
        client.communicate()
        wait(0.3)
        sim.ask("forget")
        wait(1.0)
        positions, joints = sim.trace()
        record_property("joint_speed_before_rad_s", moving)
        record_property("joint_speed_after_rad_s", joint_speed(joints))
        assert moving > 0.05
        assert joint_speed(joints) < 5e-3
        assert np.ptp(positions, axis=0).max() < 1e-3


class TestHoming:
    overrides = (
        f"robot.homing.position_rad={list(HOME)}",
        "robot.homing.max_velocity_rad_s=0.25",
        "robot.homing.max_acceleration_rad_s2=1.0",
        "robot.homing.max_jerk_rad_s3=10.0",
        "robot.homing.tolerance_rad=0.02",
        "robot.homing.every_episodes=1",
    )

    @pytest.fixture(scope="class")
    def sim(self):
        """A new arm: the way to home from a posture that other tests have left may tilt the tool too far."""
        sim = FrankaSim()
        yield sim
        sim.kill()

    def words(self):
        keys = ", ".join(word.removeprefix("robot.homing.").replace("=", ": ") for word in self.overrides)
        return f"robot.homing={{{keys}}}"

    def test_a_reset_goes_over_home(self, sim, connected):
        robot, seen = connected(self.words()), []
        sim.ask("forget")
        state = robot.reset(at(0.45), WIDTH, lambda state: seen.append(state.joint_position[0]) or True)
        assert np.abs(np.array(seen) - HOME).max(axis=1).min() < 0.02
        assert state.tcp_pose[0, :3] == pytest.approx(at(0.45)[0, :3], abs=3.5e-3)
        speed, acceleration = rates(sim.trace()[0])
        assert speed < 1.1 * MAX_SPEED
        assert acceleration < 1.2 * MAX_ACCELERATION

    def test_a_stop_on_the_way_ends_it(self, connected):
        robot = connected(self.words())
        state = robot.reset(at(0.45), WIDTH, lambda state: np.abs(state.joint_velocity).max() < 0.15)
        assert np.abs(state.joint_position[0] - HOME).max() > 0.02
        wait(1.0)
        assert np.abs(robot.read().joint_velocity).max() < 0.01

    def test_a_home_beyond_the_joints_limits_is_refused(self):
        with pytest.raises(ConfigError, match="expected joint 1 in its range"):
            make_robot("127.0.0.1", self.words().replace(str(HOME[0]), "9.0", 1))

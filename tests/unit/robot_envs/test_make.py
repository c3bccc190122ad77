import numpy as np
import pytest

from steadyhand.robot_envs.devices.device import no_reading
from steadyhand.robot_envs.devices.operator import DeviceOperator, NoOperator
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.robot_envs.make import make_corrector, make_env, make_onlooker
from steadyhand.robot_envs.workpieces import NotedWorkpieces
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.clock import FakeClock
from steadyhand.runtime.config import compose
from tests.robot_kit import StillRobot, state


def test_a_robot_that_only_its_own_process_can_speak_to_is_given():
    robot, clock = StillRobot(), FakeClock()
    env = make_env(compose(["task=reach", "robot=crisp_fr3"]), 0, Hardware(robot, [], NotedWorkpieces(), clock, False))
    assert robot.connected
    env.reset(seed=0)
    env.step(np.zeros(6, np.float32))
    assert (env.lockstep, clock.now_ns()) == (False, 100_000_000)
    assert robot.commanded.tcp_pose == pytest.approx(state().tcp_pose, abs=1e-6)


def test_a_robot_behind_ros_is_refused_outside_of_it():
    with pytest.raises(ConfigError, match=r"robot.launch.py"):
        make_env(compose(["task=reach", "robot=crisp_fr3"]), 0)


@pytest.mark.parametrize("device", ["scripted", "none"])
def test_no_stand_in_helps_a_finished_policy(device):
    config = compose(["task=reach", f"device={device}"])
    env = make_env(config, 0)
    assert isinstance(make_onlooker(config, env), NoOperator)
    assert isinstance(make_corrector(config, env, 0), NoOperator) == (device == "none")


class HeldDevice:
    connected = False

    def connect(self):
        self.connected = True

    def poll(self):
        return no_reading()

    def close(self):
        pass


def test_a_person_may_take_over_from_it():
    config, device = compose(["task=reach", "device=joy"]), HeldDevice()
    assert isinstance(make_onlooker(config, make_env(config, 0), device), DeviceOperator)
    assert device.connected


class BusyClock(FakeClock):
    """Of a machine that wakes who sleeps `late_ns` after the time."""

    late_ns = 0

    def sleep_until(self, t_ns):
        super().sleep_until(t_ns + self.late_ns)


def test_a_loop_that_is_woken_late_does_not_catch_up_in_a_burst():
    clock = BusyClock()
    env = make_env(
        compose(["task=reach", "robot=crisp_fr3"]), 0, Hardware(StillRobot(), [], NotedWorkpieces(), clock, False)
    )
    env.reset(seed=0)
    looks, overruns = [], []
    for late_ms in (0, 80, 0, 10, 0):
        clock.late_ns = late_ms * 1_000_000
        overruns.append(env.step(np.zeros(6, np.float32))[4]["overrun"])
        looks.append(clock.now_ns() // 1_000_000)
    assert looks == [100, 280, 380, 490, 580]
    assert overruns == [False, True, False, False, False]

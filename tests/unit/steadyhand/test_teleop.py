import numpy as np

from steadyhand.actor.authority import AT_ONCE
from steadyhand.robot_envs.devices.device import Device, HumanInput, no_reading
from steadyhand.robot_envs.devices.operator import DeviceOperator
from steadyhand.robot_envs.safety.gate import StopReason
from steadyhand.teleop import Teleop
from tests.events_kit import on_episode
from tests.robot_kit import RecordingRobot, make_robot_env

PUSH = HumanInput(np.array([True]), np.array([[1.0, 0, 0, 0, 0, 0]]), np.zeros(1), (), 0.0)
REST = HumanInput(np.array([False]), np.zeros((1, 6)), np.zeros(1), (), 0.0)
RESUME = HumanInput(np.array([False]), np.zeros((1, 6)), np.zeros(1), ("resume",), 0.0)


class Scripted(Device):
    """A device whose n-th reading is looked up in `readings`; the last one stays."""

    def __init__(self, readings) -> None:
        self.readings, self.polls = readings, 0

    def connect(self):
        pass

    def poll(self):
        self.polls += 1
        return self.readings[min(self.polls, len(self.readings)) - 1]

    def close(self):
        pass


def drive(readings, until, env=None):
    env = env or make_robot_env("task=reach")
    device = Scripted(readings)
    statuses = []

    def stop():
        statuses.append(teleop.status())
        return until(device)

    episodes = []
    teleop = Teleop(env, DeviceOperator(device, False, 0.2), 0, stop, AT_ONCE, events=on_episode(episodes.append))
    teleop.run()
    env.close()
    return statuses, episodes


def test_it_shows_who_moves_the_robot_and_what_comes_of_it():
    readings = [REST] * 3 + [PUSH] * 5 + [no_reading()] * 3
    statuses, _ = drive(readings, lambda device: device.polls >= 11)
    seen = list(dict.fromkeys(status.state for status in statuses))
    assert seen == ["starting", "nobody", "person", "held"]
    assert statuses[-1].tcp_pose[0] > 0.01
    assert statuses[-1].steps == 11
    assert not statuses[-1].reading.engaged.any()


def test_a_stop_waits_for_the_resume_button_and_moves_nothing_meanwhile():
    env = make_robot_env("task=reach")
    env.robot = robot = RecordingRobot(env.robot)
    sent = []

    def until(device):
        if device.polls == 3:
            env.gate.stop(StopReason.FORCE_LIMIT)
        if env.gate.stop_reason is not None:
            sent.append(len(robot.commands))
        return device.polls >= 30

    statuses, episodes = drive([PUSH] * 8 + [REST] * 8 + [RESUME] + [REST], until, env)
    assert [episode.stop_reason for episode in episodes] == ["force_limit"]
    stopped = [status for status in statuses if status.state == "stopped"]
    assert {status.stop_reason for status in stopped} == {"force_limit"}
    assert len(set(sent)) == 1
    assert statuses[-1].state == "nobody"  # it went on after the button

"""A Franka arm to test against: franky-sim in a process of its own, asked over its stdin."""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.hardware import find_robot
from steadyhand.robot_envs.robot import RobotCommand
from steadyhand.robot_envs.tasks.task import TOOL_DOWN
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.config import compose

ROOT = Path(__file__).resolve().parents[1]
CLOCK = MonotonicClock()
WIDTH = np.array([0.04])
_numbers = itertools.count(1)


def free_address():
    """Return a loopback address of this process alone; the ports of FCI are fixed."""
    return f"127.{1 + os.getpid() // 250 % 250}.{1 + os.getpid() % 250}.{next(_numbers)}"


class FrankaSim:
    """The simulated arm."""

    def __init__(self):
        self.address = free_address()
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.franka_server", self.address],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert json.loads(self.process.stdout.readline()) == "ready"

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def trace(self):
        """Return the positions of the tool (n, 3) [m] and of the joints (n, 7) [rad], 1 ms apart."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trace.npy"
            self.ask("trace", path)
            rows = np.load(path)
        return rows[:, :3], rows[:, 3:]


def config(address, *overrides):
    return compose(["task=reach", "robot=franka_fci", *words(address), *overrides])


def words(address):
    """Return the overrides for the simulated arm on a machine that may stand still for 0.3 s."""
    patient = ["robot.watchdog.state_timeout_s=0.4", "safety.max_state_age_s=0.5"]
    return [f"robot.host={address}", "robot.realtime=ignore", *patient]


def make_robot(address, *overrides):
    values = config(address, *overrides)
    return find_robot(values["robot"]).make(values["task"]["scene"]).make().robot


def at(x, y=0.0, z=0.25):
    return frames.pose(np.array([[x, y, z]]), TOOL_DOWN)


def go_on(state):
    return True


def wait(seconds):
    CLOCK.sleep_until(CLOCK.now_ns() + round(seconds * 1e9))


def wait_until(condition, what, seconds=10.0):
    until_ns = CLOCK.now_ns() + round(seconds * 1e9)
    while not condition():
        assert CLOCK.now_ns() < until_ns, f"no {what} within {seconds} s"
        wait(0.01)


def follow(robot, targets, period_s=0.1):
    """Command targets at the control rate, and return the measured positions after each period."""
    next_ns, found = CLOCK.now_ns(), []
    for target in targets:
        robot.command(RobotCommand(target, WIDTH))
        next_ns += round(period_s * 1e9)
        CLOCK.sleep_until(next_ns)
        found.append(robot.read().tcp_pose[0, :3])
    return np.array(found)

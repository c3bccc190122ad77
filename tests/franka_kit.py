"""A Franka arm to test against: franky-sim in a process of its own, asked over its stdin."""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
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
        """Return the tool's positions (n, 3) [m] and the joints' velocities (n, 7) [rad/s], 1 ms apart."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trace.npy"
            self.ask("trace", path)
            rows = np.load(path)
        return rows[:, :3], rows[:, 3:]

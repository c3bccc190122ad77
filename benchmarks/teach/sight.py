"""The eyes of the person beside the mock: the simulated robot shows where peg and hole truly are.

A person who stands beside a real cell looks at it, and needs no program for that. Here the robot component of the
product is replaced by one that also sends the truth, in datagrams, to the person's process. The product gets nothing of
it: neither the policy nor a device reads these numbers.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections import deque
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import pose, pose_compose, pose_relative, pose_to_vector
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.robot_envs.mock.fr3 import MockFr3
from steadyhand.robot_envs.tasks.task import TOOL_DOWN
from steadyhand.runtime.clock import Clock, MonotonicClock

__all__ = ["PORT_VARIABLE", "SeenFr3", "Sight"]

PORT_VARIABLE = "STEADYHAND_TEACH_SIGHT"  # UDP port of the person's eyes, on loopback
LAYOUT = struct.Struct("<9d")
KEPT_S = 3.0
LOOK_S = 0.2  # between two looks whether the person is still there

Vector = NDArray[np.float64]


class SeenFr3(MockFr3):
    """The mock of the product, whose peg and hole a person sees; with `robot.entry_point` in place of it."""

    def make(self) -> Hardware:
        """Construct the mock, and send what a person would see after every reading."""
        hardware = super().make()
        length_m = float((self._scene.tool or {})["length_m"])
        return replace(hardware, robot=_SeenRobot(hardware.robot, hardware.world, length_m))  # type: ignore[arg-type]


class _SeenRobot:
    def __init__(self, robot: Any, world: Any, peg_length_m: float) -> None:
        self._robot, self._world = robot, world
        self._tip = pose([0.0, 0.0, peg_length_m])
        self._place = ("127.0.0.1", int(os.environ[PORT_VARIABLE]))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._robot, name)

    def read(self) -> Any:
        """Read the robot, and show it."""
        state = self._robot.read()
        self._show()
        return state

    def reset(self, *where: Any) -> Any:
        """Move the arm to its start, and show it there."""
        state = self._robot.reset(*where)
        self._show()
        return state

    def _show(self) -> None:
        """Send what `Seen` has."""
        hole = pose(self._world.pose_of("hole")[:3], TOOL_DOWN)
        tip = pose_compose(self._world.arms[0].tcp_pose(), self._tip)
        self._socket.sendto(LAYOUT.pack(*pose_to_vector(pose_relative(tip, hole)), *hole[:3]), self._place)


class Seen(NamedTuple):
    """One look."""

    at_ns: int
    hole: Vector  # relative to the peg's tip [m, rad], in the tip's frame. Shape (6,)
    place: Vector  # of the hole [m], base frame; another one in each attempt. Shape (3,)


class Sight:
    """Receives on a thread of its own, and remembers some seconds.

    Args:
        clock: Monotonic.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or MonotonicClock()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(LOOK_S)
        self._seen: deque[Seen] = deque()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that `PORT_VARIABLE` of the robot's process names."""
        return int(self._socket.getsockname()[1])

    def ago(self, age_s: float) -> Seen | None:
        """Return the newest look that is at least `age_s` old; None without one."""
        limit_ns = self._clock.now_ns() - round(age_s * 1e9)
        return next((seen for seen in reversed(tuple(self._seen)) if seen.at_ns <= limit_ns), None)

    def close(self) -> None:
        """End the thread."""
        self._ending.set()
        self._thread.join(5.0)
        self._socket.close()

    def _receive(self) -> None:
        while not self._ending.is_set():
            try:
                data = self._socket.recv(LAYOUT.size)
            except TimeoutError:
                continue
            now_ns = self._clock.now_ns()
            numbers = np.array(LAYOUT.unpack(data))
            self._seen.append(Seen(now_ns, numbers[:6], numbers[6:]))
            while now_ns - self._seen[0].at_ns > KEPT_S * 1e9:
                self._seen.popleft()

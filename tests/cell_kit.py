"""Known poses, and stand-ins around a simulated arm, for the tests of the calibrations."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from steadyhand.robot_envs.camera import Camera, Frame
from steadyhand.robot_envs.frames import quat_from_rotvec, quat_inverse, quat_multiply, quat_rotate
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.robot_envs.make import RobotTaskConfig, make_hardware
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import Calibration, read_calibration
from tests.config_kit import composed
from tests.terminal_kit import Terminal
from tests.transport_kit import wait_until

DOWN = np.array([1.0, 0.0, 0.0, 0.0])


def turned(rotvecs) -> np.ndarray:
    """Return orientations (n, 4): the tool points down, turned by rotation vectors (n, 3) of the base."""
    return np.array([quat_multiply(quat_from_rotvec(np.asarray(rotvec, float)), DOWN) for rotvec in rotvecs])


def tilts(angle_rad: float, n: int = 8) -> np.ndarray:
    """Return rotation vectors (n, 3): tilts in n directions, and a turn about the vertical with each."""
    directions = 2 * np.pi * np.arange(n) / n
    return np.stack([angle_rad * np.cos(directions), angle_rad * np.sin(directions), 0.1 * np.cos(3 * directions)], 1)


def pivot_poses(tip, point, rotvecs, noise_m: float = 0.0, seed: int = 0) -> np.ndarray:
    """Return poses (n, 7) at which a tip of the tool is at a fixed point."""
    quats = turned(rotvecs)
    positions = np.asarray(point) - quat_rotate(quats, np.broadcast_to(tip, (len(quats), 3)))
    noise = np.random.default_rng(seed).normal(0.0, 1.0, positions.shape) * noise_m
    return np.concatenate([positions + noise, quats], axis=1)


def weight_wrench(quat, mass_kg: float, centre_m) -> np.ndarray:
    """Return the wrench (6,) of a weight on the tool, at the TCP, tool frame."""
    force = quat_rotate(quat_inverse(np.asarray(quat)), np.array([0.0, 0.0, -9.80665 * mass_kg]))
    return np.concatenate([force, np.cross(centre_m, force)])


def mock_hardware(*overrides: str, views: dict[str, Any] | None = None) -> Hardware:
    """Return the simulated hardware of a configuration, not yet connected."""
    config = composed("device=none", *overrides)
    if views is not None:
        config["camera"]["views"] = views
    return make_hardware(config, build(RobotTaskConfig, config["task"], "task").scene)


class Around:
    """Stands around a robot and changes what it reads.

    Args:
        robot: The robot.
        read: Gets each state, and returns the one to show.
    """

    def __init__(self, robot, read: Callable[[Any], Any]) -> None:
        self._robot, self._read = robot, read
        self.commands: list[Any] = []
        self.closed = 0

    def __getattr__(self, name):
        return getattr(self._robot, name)

    def read(self):
        return self._read(self._robot.read())

    def command(self, command):
        self.commands.append(command)
        self._robot.command(command)

    def close(self):
        self.closed += 1
        self._robot.close()


def around(hardware: Hardware, read: Callable[[Any], Any]) -> Hardware:
    return replace(hardware, robot=Around(hardware.robot, read))


class Late(Camera):
    """A camera whose frames arrive `latency_s` after their exposure; stamps are those of the arrival.

    Args:
        camera: The camera, which is read at every call.
        clock: Its clock.
        latency_s: The latency.
        noise: Standard deviation of a pixel, in levels.
    """

    def __init__(self, camera: Camera, clock, latency_s: float, noise: float = 0.0) -> None:
        self.name, self.height, self.width, self.crop = camera.name, camera.height, camera.width, camera.crop
        self._camera, self._clock, self._latency_ns = camera, clock, round(latency_s * 1e9)
        self._frames: list[Frame] = []
        self._rng, self._noise = np.random.default_rng(0), noise

    def connect(self):
        self._camera.connect()

    def latest(self) -> Frame:
        now = self._clock.now_ns()
        taken = self._camera.latest()
        pixels = taken.pixels + self._rng.normal(0.0, self._noise, taken.pixels.shape)
        self._frames.append(replace(taken, pixels=np.clip(pixels, 0, 255).astype(np.uint8)))
        arrived = [frame for frame in self._frames if frame.stamp_ns <= now - self._latency_ns]
        newest = arrived[-1] if arrived else self._frames[0]
        return replace(newest, stamp_ns=min(newest.stamp_ns + self._latency_ns, now))

    def close(self):
        self._camera.close()


def only_file(folder: Path) -> Path:
    (path,) = folder.glob("*.yaml")
    return path


def only_calibration(folder: Path) -> Calibration:
    return read_calibration(only_file(folder))


def collected(folder: Path, **content: Any) -> str:
    """Write numbers that were collected otherwise, and return the path."""
    path = folder / "collected.yaml"
    plain = {name: np.asarray(v).tolist() if isinstance(v, np.ndarray) else v for name, v in content.items()}
    path.write_text(yaml.safe_dump(plain))
    return str(path)


def nothing_in(folder: Path) -> bool:
    return not folder.exists() or not os.listdir(folder)


def options(out: Path, **values: Any) -> argparse.Namespace:
    """Return the options of a step, as the command line gives them."""
    return argparse.Namespace(out=out, **values)


class Heard:
    """The lines that a step has printed."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, text: str, count: int = 1) -> None:
        """Wait until a text was said so many times."""
        wait_until(lambda: sum(text in line for line in list(self.lines)) >= count, 20)

    def forget(self, text: str) -> None:
        self.lines[:] = [line for line in self.lines if not line.startswith(text)]


@contextmanager
def typing(monkeypatch, module) -> Iterator[tuple[Terminal, Heard]]:
    """Give a terminal, and what a step says through `module.say`."""
    terminal, heard = Terminal(), Heard()
    monkeypatch.setattr(module, "say", heard.lines.append)
    try:
        yield terminal, heard
    finally:
        terminal.close()

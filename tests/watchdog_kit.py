"""The watchdog against a fake clock: `Cell` plays the arm and the actor."""

from dataclasses import replace

import numpy as np

from steadyhand.robot_envs.safety.command_stream import HoldReason, JointStream, PoseStream, TwistStream
from steadyhand.robot_envs.safety.freshness import Freshness
from steadyhand.robot_envs.safety.joint_limits import JointLimits
from steadyhand.robot_envs.safety.watchdog import Watchdog
from steadyhand.robot_envs.safety.watchdog_settings import WatchdogSettings
from steadyhand.runtime.clock import FakeClock
from tests.robot_kit import TOOL_DOWN, limits

SETTINGS = WatchdogSettings(
    controller_rate_hz=100.0,
    command_period_s=0.1,
    command_timeout_s=0.18,
    state_timeout_s=0.2,
    max_jump_m=0.06,
    max_jump_rad=0.3,
    box_margin_m=0.001,
    tilt_margin_rad=0.02,
)
HOME = np.concatenate([[0.5, 0.0, 0.2], TOOL_DOWN])
TICK_NS = 10_000_000
STREAMS = {
    "pose": lambda settings: PoseStream(settings, limits()),
    "twist": lambda settings: TwistStream(settings, limits()),
    "joint": lambda settings: JointStream(settings, limits(), JOINTS),
}
JOINTS = JointLimits((-3.0,) * 7, (3.0,) * 7, 0.05, (), 1.0, 10.0, 200.0)


def moved(*by: float) -> np.ndarray:
    pose = HOME.copy()
    pose[:3] += by
    return pose


class Cell:
    """One arm that reports its pose at every tick."""

    def __init__(self, mode: str = "pose", fault: Freshness | None = None, **settings) -> None:
        self.settings = replace(SETTINGS, **settings)
        self.clock = FakeClock(5_000_000_000)
        self.watchdog = Watchdog(STREAMS[mode](self.settings), self.settings, limits().plausible, fault)
        self.pose, self.joints = HOME.copy(), np.zeros(7)
        self.reports = True
        self.targets: list[np.ndarray | None] = []

    def run(self, seconds: float) -> np.ndarray | None:
        for _ in range(round(seconds * 1e9 / TICK_NS)):
            self.clock.advance_ns(TICK_NS)
            if self.reports:
                self.watchdog.measured(self.pose, self.joints, self.clock.now_ns())
            self.targets.append(self.watchdog.tick(self.clock.now_ns()))
        return self.targets[-1]

    def keep(self, command, seconds: float) -> None:
        for _ in range(round(seconds / 0.1)):
            self.command(command)
            self.run(0.1)

    def command(self, command) -> None:
        self.watchdog.command(np.asarray(command, np.float64), self.clock.now_ns())


def started(mode: str = "pose", **settings) -> Cell:
    cell = Cell(mode, **settings)
    cell.run(0.01)
    return cell


def holds_after_silence(cell: Cell) -> bool:
    cell.command(moved(0.02, 0, 0))
    cell.run(0.1)
    cell.pose = moved(0.013, 0, 0)
    cell.run(1.0)
    return bool(np.allclose(cell.targets[-1], cell.pose, atol=1e-5)) and cell.watchdog.reason is HoldReason.NO_COMMANDS

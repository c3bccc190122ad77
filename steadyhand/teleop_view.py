"""The operator's view in teleoperation: the device's readings, the tool, and the timing of the loop."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TextIO

import numpy as np
from numpy.typing import NDArray
from rich.console import Console as Terminal
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from steadyhand.actor.config import LoggingConfig
from steadyhand.robot_envs.devices.device import HumanInput
from steadyhand.robot_envs.robot_pair import NAMES
from steadyhand.teleop import TeleopStatus

__all__ = ["plain_line", "shown", "view"]

TITLES = {
    "starting": "[dim]the robot moves to its start[/]",
    "person": "[yellow]person in control[/]",
    "nobody": "[dim]the device is at rest: the robot stands still[/]",
    "held": "[red]the device is silent: the robot stands still until you move the device again[/]",
}
DIRECTIONS = ("x", "y", "z", "about x", "about y", "about z")
AXES = 6
HALF_BAR = 10


@contextmanager
def shown(config: LoggingConfig, status: Callable[[], TeleopStatus], out: TextIO | None = None) -> Iterator[None]:
    """Show `status` while the context lasts: live on a terminal, elsewhere as a line at intervals."""
    out = out or sys.stdout
    terminal = Terminal(file=out)
    if config.console == "off":
        yield
    elif config.console == "live" or (config.console == "auto" and terminal.is_terminal):
        live = Live(
            get_renderable=lambda: view(status()),
            console=terminal,
            refresh_per_second=config.live_refresh_hz,  # lines that others write go above the view
        )
        with live:
            yield
    else:
        with _lines(config.plain_every_s, status, out):
            yield


@contextmanager
def _lines(every_s: float, status: Callable[[], TeleopStatus], out: TextIO) -> Iterator[None]:
    ending = Event()

    def write() -> None:
        while True:
            ended = ending.wait(every_s)
            out.write(f"{plain_line(status())}\n")
            out.flush()
            if ended:
                return

    thread = Thread(target=write, name="teleop view", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def plain_line(status: TeleopStatus) -> str:
    """Return one line about `status`."""
    return " | ".join(
        [
            _state(status),
            *(part for arm in range(_arms(status)) for part in _plain_arm(status, arm)),
            f"device {_age(status.reading)}",
            f"{status.steps} steps, {status.overruns} late, period p99 {status.period.p99_ms:.1f} ms",
        ]
    )


def view(status: TeleopStatus) -> Panel:
    """Return the view of `status`."""
    grid = Table.grid(padding=(0, 2))
    for arm in range(_arms(status)):
        for name, text in _arm_rows(status, arm):
            grid.add_row(f"[dim]{_of_arm(status, arm)}{name}[/]", text)
    rows = (
        ("device", _age(status.reading)),
        ("loop", f"{status.steps} steps, p50 {status.period.p50_ms:.1f} ms, p99 {status.period.p99_ms:.1f} ms"),
        ("", f"{status.overruns} late"),
    )
    for name, text in rows:
        grid.add_row(f"[dim]{name}[/]", text)
    title = TITLES.get(status.state, "")
    if status.stop_reason:
        title = f"[red]stopped ({escape(status.stop_reason)}): make it safe, then press resume[/]"
    elif status.waiting:
        title = f"[red]waiting for {escape(status.waiting)}[/]"
    return Panel(grid, title=title, title_align="left", expand=False)


def _plain_arm(status: TeleopStatus, arm: int) -> list[str]:
    twist = " ".join(f"{value:+.2f}" for value in _twist(status, arm))
    name = _of_arm(status, arm)
    return [
        f"{name}twist {twist}",
        f"gripper {_gripper(status, arm)}",
        f"tool {_tool(status, arm)}",
        f"force {np.linalg.norm(_wrench(status, arm)[:3]):.1f} N",
    ]


def _arm_rows(status: TeleopStatus, arm: int) -> list[tuple[str, str]]:
    rows = [(name, f"{_bar(value)} {value:+.2f}") for name, value in zip(DIRECTIONS, _twist(status, arm), strict=True)]
    force, torque = (np.linalg.norm(part) for part in np.split(_wrench(status, arm), 2))
    rows += [
        ("gripper", _gripper(status, arm)),
        ("tool", _tool(status, arm)),
        ("contact", f"{force:.1f} N, {torque:.2f} Nm"),
    ]
    return rows


def _arms(status: TeleopStatus) -> int:
    return len(status.wrench) // AXES


def _of_arm(status: TeleopStatus, arm: int) -> str:
    """Return the name of an arm with a space after it; "" for the only one."""
    return "" if _arms(status) == 1 else f"{NAMES[arm]} "


def _wrench(status: TeleopStatus, arm: int) -> NDArray[np.float64]:
    return status.wrench[AXES * arm : AXES * (arm + 1)]


def _state(status: TeleopStatus) -> str:
    if status.stop_reason:
        return f"stopped: {status.stop_reason}"
    return f"waiting for {status.waiting}" if status.waiting else status.state


def _twist(status: TeleopStatus, arm: int) -> list[float]:
    reading = status.reading
    # A device that is not there reports one arm.
    if reading is None or arm >= len(reading.twist):
        return [0.0] * AXES
    return [float(value) for value in reading.twist[arm]]


def _gripper(status: TeleopStatus, arm: int) -> str:
    reading = status.reading
    wish = 0.0 if reading is None or arm >= len(reading.gripper) else float(reading.gripper[arm])
    return "open" if wish > 0 else "close" if wish < 0 else "as it is"


def _age(reading: HumanInput | None) -> str:
    if reading is None or math.isinf(reading.age_s):
        return "not there"
    return f"heard {1e3 * reading.age_s:.0f} ms ago" if reading.age_s else "there, at rest"


def _tool(status: TeleopStatus, arm: int) -> str:
    pose = status.tcp_pose[AXES * arm : AXES * (arm + 1)]
    position = " ".join(f"{1e3 * value:+.1f}" for value in pose[:3])
    turn = math.degrees(float(np.linalg.norm(pose[3:])))
    return f"{position} mm from the start, turned by {turn:.1f} deg"


def _bar(value: float) -> str:
    """Return a bar that starts in the middle; left is negative."""
    filled = round(min(abs(value), 1.0) * HALF_BAR)
    left = "─" * (HALF_BAR - filled) + "━" * filled if value < 0 else "─" * HALF_BAR
    right = "━" * filled + "─" * (HALF_BAR - filled) if value > 0 else "─" * HALF_BAR
    return f"{left}┼{right}"

"""Display of the progress beside the robot: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from typing import TextIO

from rich.console import Console as Terminal

from steadyhand.actor.config import LoggingConfig
from steadyhand.actor.console.live import LiveConsole
from steadyhand.actor.console.off import NoConsole
from steadyhand.actor.console.plain import PlainConsole
from steadyhand.actor.console.status import Console, Status
from steadyhand.runtime.clock import MonotonicClock

__all__ = ["Console", "LiveConsole", "NoConsole", "PlainConsole", "Status", "make_console"]


def make_console(config: LoggingConfig, out: TextIO | None = None) -> Console:
    """Return the console that `config` asks for; `auto` is live where `out` is a terminal."""
    out = out or sys.stdout
    terminal = Terminal(file=out)
    if config.console == "off":
        return NoConsole()
    if config.console == "live" or (config.console == "auto" and terminal.is_terminal):
        return LiveConsole(terminal, config.live_refresh_hz)
    return PlainConsole(out, config.plain_every_s, MonotonicClock())

"""Progress as a view that redraws itself, for a terminal."""

from __future__ import annotations

import math
from collections.abc import Callable

from rich.console import Console as Terminal
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from steadyhand.actor.console.status import Status
from steadyhand.actor.events import EpisodeLogged, Waiting

__all__ = ["LiveConsole", "view"]

COLOURS = {"policy": "green", "person": "yellow", "nobody": "dim"}
BAR_CELLS = 20


class LiveConsole:
    """Draws the status a few times a second, on rich's own thread.

    Args:
        terminal: Terminal to draw on.
        refresh_hz: Redraws per second.
    """

    def __init__(self, terminal: Terminal, refresh_hz: float) -> None:
        self._terminal, self._refresh_hz = terminal, refresh_hz
        self._live: Live | None = None

    def start(self, status: Callable[[], Status]) -> None:
        """Begin to draw."""
        self._live = Live(
            get_renderable=lambda: view(status()),
            console=self._terminal,
            refresh_per_second=self._refresh_hz,
            redirect_stdout=False,
            redirect_stderr=True,  # log lines go above the view
        )
        self._live.start()

    def episode_done(self, event: EpisodeLogged) -> None:
        """The next redraw shows it."""

    def waiting(self, event: Waiting) -> None:
        """The next redraw shows it."""

    def close(self) -> None:
        """Draw once more and release the terminal."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def view(status: Status) -> Panel:
    """Return the view of `status`."""
    grid = Table.grid(padding=(0, 2))
    for name, text in _lines(status):
        grid.add_row(f"[dim]{name}[/]", text)
    state = f"[red]waiting for {escape(status.waiting)}[/]" if status.waiting else _in_control(status)
    return Panel(grid, title=state, title_align="left", expand=False)


def _lines(status: Status) -> list[tuple[str, str]]:
    age = "-" if math.isinf(status.policy_age_s) else f"{status.policy_age_s:.1f} s old"
    learner = escape(status.learner_phase) if status.connected else "[red]not connected[/]"
    window = f"of the last {status.success_window}"
    return [
        ("episode", f"{status.episode}   step {status.env_steps}/{status.max_env_steps}"),
        ("practice", f"{status.control_minutes:.1f} min at {status.step_rate_hz:.1f} steps/s, {status.overruns} late"),
        ("robot time", f"{status.robot_minutes:.1f} min with resets"),
        ("success alone", f"{_bar(status.success_alone, 'green')} {status.success_alone:4.0%} {window}"),
        ("success with help", f"{_bar(status.success_helped, 'yellow')} {status.success_helped:4.0%} {window}"),
        ("interventions", f"in {status.intervention_rate:.0%} of the episodes"),
        ("learner", f"{learner}   {status.updates} updates, UTD {status.utd_ratio:.2f}"),
        ("policy", f"version {status.policy_version}, {age}"),
        *([("quarantined", f"[red]{status.quarantined} records[/], see the log lines")] if status.quarantined else []),
    ]


def _in_control(status: Status) -> str:
    return f"[{COLOURS.get(status.in_control, 'white')}]{status.in_control} in control[/]"


def _bar(share: float, colour: str) -> str:
    filled = round(share * BAR_CELLS)
    return f"[{colour}]{'━' * filled}[/][dim]{'─' * (BAR_CELLS - filled)}[/]"

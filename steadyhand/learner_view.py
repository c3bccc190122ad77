"""The view of `steadyhand learn`: live on a terminal, a line at intervals elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TextIO

from rich.console import Console as Terminal
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from steadyhand.actor.config import LoggingConfig
from steadyhand.learner.status import LearnerStatus
from steadyhand.runtime.clock import Clock, MonotonicClock

__all__ = ["Rate", "plain_line", "shown", "view"]

WAITING = "for demonstrations or an actor: steadyhand record, steadyhand act"
FEW = "for enough control steps of practice (learner.start_transitions)"
RATE_NS = 2_000_000_000  # the rate is a mean over at least this time
COLOURS = {"waiting": "dim", "finished": "cyan"}


class Rate:
    """Gradient steps per second, measured by a view.

    Args:
        clock: A monotonic clock.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or MonotonicClock()
        self._seen: tuple[int, int] | None = None  # steps, and their time [ns]
        self._value = 0.0

    def per_s(self, steps: int) -> float:
        """Return the current rate; it changes at most every two seconds."""
        now_ns = self._clock.now_ns()
        if self._seen is None:
            self._seen = steps, now_ns
        since = now_ns - self._seen[1]
        if since >= RATE_NS:
            self._value = (steps - self._seen[0]) / (since / 1e9)
            self._seen = steps, now_ns
        return self._value


@contextmanager
def shown(
    config: LoggingConfig, status: Callable[[], LearnerStatus], out: TextIO | None = None, clock: Clock | None = None
) -> Iterator[None]:
    """Show `status` while the context lasts: live on a terminal, elsewhere as a line after each change."""
    out = out or sys.stdout
    terminal, rate = Terminal(file=out), Rate(clock)
    if config.console == "off":
        yield
    elif config.console == "live" or (config.console == "auto" and terminal.is_terminal):
        live = Live(
            get_renderable=lambda: view(now := status(), rate.per_s(now.steps)),
            console=terminal,
            refresh_per_second=config.live_refresh_hz,  # lines that others write go above the view
        )
        with live:
            yield
    else:
        with _lines(config.learner_every_s, status, rate, out):
            yield


@contextmanager
def _lines(every_s: float, status: Callable[[], LearnerStatus], rate: Rate, out: TextIO) -> Iterator[None]:
    ending = Event()

    def write() -> None:
        last = LearnerStatus()
        rate.per_s(last.steps)
        ended = False
        while not ended:
            ended = ending.wait(every_s)
            now = status()
            per_s = rate.per_s(now.steps)
            # A hung learner writes nothing: the demo detects the hang by this silence.
            if now != last:
                last = now
                out.write(f"{plain_line(now, per_s)}\n")
                out.flush()

    thread = Thread(target=write, name="learner view", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def plain_line(status: LearnerStatus, per_s: float) -> str:
    """Return one line about `status`."""
    return " | ".join([_phase(status), *(f"{name} {text}" for name, text in _facts(status, per_s))])


def view(status: LearnerStatus, per_s: float) -> Panel:
    """Return the view of `status`."""
    grid = Table.grid(padding=(0, 2))
    for name, text in _facts(status, per_s):
        grid.add_row(f"[dim]{name}[/]", text)
    title = f"[{COLOURS.get(status.phase, 'green')}]{_phase(status)}[/]"
    return Panel(grid, title=title, title_align="left", expand=False)


def _phase(status: LearnerStatus) -> str:
    if status.phase != "waiting":
        return status.phase
    return f"waiting {FEW if status.transitions or status.demo_starts else WAITING}"


def _actors(status: LearnerStatus) -> str:
    return ", ".join(f"{name} {steps} steps" for name, steps in sorted(status.actors.items()))


def _facts(status: LearnerStatus, per_s: float) -> list[tuple[str, str]]:
    facts = [
        ("updates", f"{status.updates} online, {status.steps - status.updates} on demonstrations, {per_s:.0f}/s"),
        ("received", f"{status.transitions} control steps, UTD {status.utd_ratio:.2f}"),
        ("demonstrated", f"{status.demo_starts} steps"),
        *([("from other runs", f"{status.prior_starts} steps")] if status.prior_starts else []),
        *([("actors", _actors(status))] if len(status.actors) > 1 else []),
        *([("quarantined", f"{status.quarantined} records, damaged or unfit")] if status.quarantined else []),
        ("policy", f"version {status.policy_version} published" if status.policy_version else "none published"),
    ]
    metrics = status.metrics
    losses = [("critic_loss", "critic"), ("policy_loss", "policy"), ("bc_loss", "cloning")]
    shown_losses = [f"{label} {metrics[name]:.4g}" for name, label in losses if name in metrics]
    facts += [("loss", ", ".join(shown_losses))] if shown_losses else []
    facts += [("Q", f"{metrics['q_mean']:.3f}")] if "q_mean" in metrics else []
    if "success" in metrics:
        practice = f"success {metrics['success']:.0%}, {metrics['success_alone']:.0%} alone"
        help_ = f"interventions {metrics['intervention_share']:.0%} of the steps"
        facts.append(("newest episodes", f"{practice}, {help_}, return {metrics['episode_return']:.2f}"))
    return facts

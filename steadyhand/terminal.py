"""Output of the commands: plain lines on standard output, and stages with their duration."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from steadyhand.runtime.clock import Clock, MonotonicClock

__all__ = ["Stages", "duration_text", "plain", "say", "table_text"]


def plain(text: str) -> str:
    """Return a text of one line without control characters: those of a file could change the terminal."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def say(line: str = "") -> None:
    """Print one line and flush, so that a pipe gets it as early as a terminal."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Stages:
    """Printer and stopwatch of the stages of a long job.

    Args:
        total: Number of stages.
        on_end: Called with the name and the wall time [s] of each ended stage, successful or not.
        clock: The clock that measures the stages.
    """

    def __init__(
        self, total: int, on_end: Callable[[str, float], None] = lambda name, wall_s: None, clock: Clock | None = None
    ) -> None:
        self._total, self._on_end, self._clock = total, on_end, clock or MonotonicClock()
        self._count = 0

    @contextmanager
    def stage(self, name: str, heading: str) -> Iterator[None]:
        """Print the start of a stage, and at its end its duration."""
        self._count += 1
        say(f"\n[{self._count}/{self._total}] {heading}")
        began_ns = self._clock.now_ns()
        try:
            yield
        finally:
            wall_s = (self._clock.now_ns() - began_ns) / 1e9
            self._on_end(name, wall_s)
            say(f"      took {duration_text(wall_s)}")


def duration_text(seconds: float) -> str:
    """Return a duration as text: `48 s`, `24 min 20 s`, `1 h 05 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def table_text(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return aligned columns; numbers are aligned to the right."""
    cells = [list(head), *([plain(str(cell)) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [all(row[index][:1].isdigit() or row[index] == "-" for row in cells[1:]) for index in range(len(head))]
    lines = [
        "  ".join(
            cell.rjust(w) if at_right else cell.ljust(w) for cell, w, at_right in zip(row, widths, right, strict=True)
        )
        for row in cells
    ]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join(line.rstrip() for line in (lines[0], rule, *lines[1:]))

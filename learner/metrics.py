"""Scalars of training, as JSON lines and for a sink such as TensorBoard."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

__all__ = ["Metrics", "MetricsSink"]

LINES = "learner.jsonl"


class MetricsSink(Protocol):
    """Takes the rows of scalars beside the file. Its calls return at once."""

    def begin(self, update: int) -> None:
        """Begin after `update`: rows of later updates are written again."""

    def write(self, update: int, scalars: Mapping[str, float]) -> None:
        """Take one row."""


class Metrics:
    """Writes rows of scalars to `learner.jsonl` and to a sink.

    Args:
        folder: The run's metrics folder.
        update: Gradient updates so far; later rows, of updates that a resumed run repeats, are dropped.
        sink: Takes the rows too; None = the file alone. The caller closes it.
    """

    def __init__(self, folder: Path, update: int, sink: MetricsSink | None = None) -> None:
        path = folder / LINES
        _drop_rows_after(path, update)
        self._lines = path.open("a", encoding="utf-8")
        self._sink = sink
        if sink is not None:
            sink.begin(update)

    def write(self, update: int, scalars: Mapping[str, float]) -> None:
        """Write one row; a scalar that is not finite becomes null."""
        row = {name: value if math.isfinite(value) else None for name, value in scalars.items()}
        self._lines.write(json.dumps({"update": update, **row}) + "\n")
        self._lines.flush()
        if self._sink is not None:
            self._sink.write(update, scalars)

    def close(self) -> None:
        """Close the file."""
        self._lines.close()


def _drop_rows_after(path: Path, update: int) -> None:
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["update"] <= update:
                kept.append(f"{line}\n")
        except (ValueError, KeyError, TypeError):
            continue  # a crash has cut it short
    temporary = path.with_suffix(".tmp")
    temporary.write_text("".join(kept), encoding="utf-8")
    os.replace(temporary, path)

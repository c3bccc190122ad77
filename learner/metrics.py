"""Scalars of training, as JSON lines and for TensorBoard."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

__all__ = ["Metrics"]

LINES = "learner.jsonl"


class Metrics:
    """Writes rows of scalars to `learner.jsonl` and `tensorboard/`.

    Args:
        folder: The run's metrics folder.
        update: Gradient updates so far; later rows, of updates that a resumed run repeats, are dropped.
    """

    def __init__(self, folder: Path, update: int) -> None:
        path = folder / LINES
        _drop_rows_after(path, update)
        self._lines = path.open("a", encoding="utf-8")
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=update + 1)

    def write(self, update: int, scalars: Mapping[str, float]) -> None:
        """Write one row; a scalar that is not finite becomes null."""
        row = {name: value if math.isfinite(value) else None for name, value in scalars.items()}
        self._lines.write(json.dumps({"update": update, **row}) + "\n")
        self._lines.flush()
        for name, value in scalars.items():
            self._board.add_scalar(name, value, update)

    def close(self) -> None:
        """Close both files."""
        self._lines.close()
        self._board.close()


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

"""Metrics for TensorBoard, in `metrics/tensorboard/` of the run; an actor has a folder of its own in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.exporters.exporter import ExportedProcess, MetricsExporter

__all__ = ["TensorBoard"]

FOLDER, LEARNER = "tensorboard", "learner"


class TensorBoard(MetricsExporter):
    """Writes event files. `tensorboard --logdir runs` shows every run, with hyper-parameters under HPARAMS."""

    def __init__(self) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._make: Any = SummaryWriter
        self._board: Any = None
        self._process: ExportedProcess | None = None
        self._purge_step: int | None = None

    def open(self, process: ExportedProcess) -> None:
        """Note the process; the first value makes the file."""
        self._process = process

    def rewind(self, axis: str, step: int) -> None:
        """Hide the values after `step` that an earlier start has written."""
        self._purge_step = step + 1

    def scalars(self, axis: str, step: int, values: Mapping[str, float]) -> None:
        """Write one point of each curve."""
        board = self._opened()
        for name, value in values.items():
            board.add_scalar(name, value, step)

    def picture(self, axis: str, step: int, name: str, pixels: NDArray[np.uint8]) -> None:
        """Write a picture."""
        self._opened().add_image(name, pixels, step, dataformats="HWC")

    def close(self) -> None:
        """Close the file."""
        if self._board is not None:
            self._board.close()

    def _opened(self) -> Any:
        if self._board is None:
            from torch.utils.tensorboard.summary import hparams

            process = self._process
            assert process is not None, "open comes first"
            folder = process.folder / FOLDER
            folder = folder if process.process == LEARNER else folder / process.process
            self._board = self._make(str(folder), purge_step=self._purge_step)
            # `add_hparams` would make another folder, and the curves would not belong to the hyper-parameters.
            for summary in hparams(dict(process.settings), {}):  # type: ignore[no-untyped-call]
                self._board.file_writer.add_summary(summary)
        return self._board

"""Metrics for trackio (the package `trackio`): files on this machine, and `trackio show` for a dashboard."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.exporters.exporter import ExportedProcess, ExportError, MetricsExporter

__all__ = ["Trackio", "TrackioConfig"]

PLACE = "TRACKIO_DIR"  # trackio reads this variable when it is imported


@dataclass(frozen=True)
class TrackioConfig:
    """Settings of the export to trackio."""

    project: str
    folder: str | None  # of its data base; null = trackio's own folder, or the one that TRACKIO_DIR names


class Trackio(MetricsExporter):
    """Writes one trackio run per process, in the group of the run's name. A resumed run goes on in the same one.

    Args:
        config: Project and folder.

    Raises:
        ModuleNotFoundError: The package is missing.
    """

    settings_type = TrackioConfig

    def __init__(self, config: TrackioConfig) -> None:
        if config.folder is not None:
            os.environ[PLACE] = config.folder
        import trackio

        self._trackio, self._config = trackio, config
        self._run: Any = None

    def open(self, process: ExportedProcess) -> None:
        """Begin the trackio run.

        Raises:
            ExportError: Trackio refuses.
        """
        try:
            self._run = self._trackio.init(
                project=self._config.project,
                name=f"{process.run_name}-{process.process}",
                group=process.run_name,
                config=dict(process.settings),
                resume="allow",
                embed=False,
                auto_log_cpu=False,
                auto_log_gpu=False,
            )
        except Exception as error:  # the package has many
            reason = " ".join(str(error).split())
            raise ExportError(
                f"logging.exporters.trackio: trackio cannot begin ({reason}); fix it, or give logging=default"
            ) from error

    def scalars(self, axis: str, step: int, values: Mapping[str, float]) -> None:
        """Write one row."""
        self._run.log({axis: step, **values}, step=step)

    def picture(self, axis: str, step: int, name: str, pixels: NDArray[np.uint8]) -> None:
        """Write a picture."""
        self._run.log({axis: step, name: self._trackio.Image(pixels)}, step=step)

    def close(self) -> None:
        """End the trackio run."""
        if self._run is not None:
            self._run.finish()

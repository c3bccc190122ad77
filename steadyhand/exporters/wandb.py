"""Metrics for Weights & Biases (the package `wandb`), online or offline."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from steadyhand.exporters.exporter import ExportedProcess, ExportError, MetricsExporter

__all__ = ["Wandb", "WandbConfig"]

AXES = ("update", "env_steps", "policy_version")
DIGEST = 8  # hexadecimal digits of the run's folder in an id


@dataclass(frozen=True)
class WandbConfig:
    """Settings of the export to Weights & Biases."""

    project: str
    entity: str | None  # team or user; null = the one of the login
    mode: Literal["online", "offline"]  # offline: files in the run, for `wandb sync` later


class Wandb(MetricsExporter):
    """Writes one W&B run per process, both in the group of the run's name. A resumed run goes on in the same one.

    Args:
        config: Project, team, and mode.

    Raises:
        ModuleNotFoundError: The package is missing.
    """

    settings_type = WandbConfig

    def __init__(self, config: WandbConfig) -> None:
        import wandb

        self._wandb, self._config = wandb, config
        self._run: Any = None

    def open(self, process: ExportedProcess) -> None:
        """Begin the W&B run, in `metrics/wandb/` of the run.

        Raises:
            ExportError: W&B refuses, for example without a login.
        """
        place = f"{process.folder.resolve()}|{process.process}"
        identity = hashlib.sha256(place.encode()).hexdigest()[:DIGEST]
        try:
            self._run = self._wandb.init(
                project=self._config.project,
                entity=self._config.entity,
                mode=self._config.mode,
                dir=str(process.folder),
                id=f"{process.run_name}-{process.process}-{identity}",
                name=f"{process.run_name}/{process.process}",
                group=process.run_name,
                job_type=process.process.partition("-")[0],
                config=dict(process.settings),
                resume="allow",
                reinit="create_new",
                settings=self._wandb.Settings(silent=True, console="off", symlink=False),
            )
        except Exception as error:  # the package has many, and its server more
            reason = " ".join(str(error).split())
            raise ExportError(
                f"logging.exporters.wandb: W&B cannot begin ({reason}); `wandb login`, or give "
                "logging.exporters.wandb.mode=offline, or logging=default"
            ) from error
        for axis in AXES:
            self._run.define_metric(axis, hidden=True)

    def scalars(self, axis: str, step: int, values: Mapping[str, float]) -> None:
        """Write one row."""
        for name in values:
            self._run.define_metric(name, step_metric=axis)
        self._run.log({axis: step, **values})

    def picture(self, axis: str, step: int, name: str, pixels: NDArray[np.uint8]) -> None:
        """Write a picture."""
        self._run.log({axis: step, name: self._wandb.Image(pixels)})

    def close(self) -> None:
        """End the W&B run."""
        if self._run is not None:
            self._run.finish()

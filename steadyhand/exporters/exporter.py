"""The contract of an exporter of metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["ExportError", "ExportedProcess", "MetricsExporter", "Scalar"]

Scalar = str | int | float | bool


class ExportError(RuntimeError):
    """An exporter that cannot begin; the message says what to do."""


@dataclass(frozen=True)
class ExportedProcess:
    """The process whose metrics are exported.

    Attributes:
        run_name: Name of the run.
        process: Name of the process within the run: `learner`, `actor-` and the actor's id, or `evaluation`.
        folder: Folder of the run's metrics, in which an exporter may make a folder of its own.
        settings: The settings of the run as flat keys, such as `algo.gamma`.
    """

    run_name: str
    process: str
    folder: Path
    settings: Mapping[str, Scalar]


class MetricsExporter(ABC):
    """Writes the metrics of one process.

    A class names its settings in `settings_type` and is constructed from them; the constructor imports the package that
    it needs, and nothing else happens there. `open` comes first, `close` last; the calls between them come from one
    thread, which is not the control loop's. An exporter that raises is dropped, and the run goes on.
    """

    settings_type: ClassVar[type[Any] | None] = None

    @abstractmethod
    def open(self, process: ExportedProcess) -> None:
        """Begin.

        Raises:
            ExportError: The tool refuses, for example without a login.
        """

    @abstractmethod
    def scalars(self, axis: str, step: int, values: Mapping[str, float]) -> None:
        """Write finite numbers by name.

        Args:
            axis: Name of the horizontal axis: `update`, `env_steps` or `policy_version`.
            step: Place on it.
            values: The numbers.
        """

    @abstractmethod
    def picture(self, axis: str, step: int, name: str, pixels: NDArray[np.uint8]) -> None:
        """Write a camera picture (h, w, 3) uint8, RGB."""

    def rewind(self, axis: str, step: int) -> None:  # noqa: B027  optional
        """Forget what was written after `step`, where the tool can: a resumed run writes it again."""

    @abstractmethod
    def close(self) -> None:
        """Write what is left, and end."""

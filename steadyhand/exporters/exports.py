"""All exporters of one process behind one object, on a thread of its own."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from queue import Full, Queue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.config import LoggingConfig
from steadyhand.exporters.exporter import ExportedProcess, MetricsExporter, Scalar
from steadyhand.runtime.component import find_component
from steadyhand.runtime.logging import get_logger
from steadyhand.runtime.run_folder import RunFolder

__all__ = ["Exports", "exports", "flat_settings"]

WAITING = 1_000  # calls that may wait for a slow exporter; further ones are dropped
CLOSE_S = 30.0  # time for the last values
# Groups of the configuration that describe a run; the others describe its machine.
GROUPS: tuple[str, ...] = (
    "seed",
    "task",
    "robot",
    "gripper",
    "gap",
    "camera",
    "sensor",
    "device",
    "safety",
    "reward",
    "policy",
    "algo",
    "learner",
    "actor",
    "demo",
)
Call = Callable[[MetricsExporter], None]

logger = get_logger("exports")


class Exports:
    """Passes metrics on to every exporter. A call never waits and never raises; before `open` it does nothing.

    Args:
        exporters: The exporters by name.
        process: The process whose metrics they get.
    """

    def __init__(self, exporters: Mapping[str, MetricsExporter], process: ExportedProcess) -> None:
        self._exporters, self._process = dict(exporters), process
        self._calls: Queue[Call | None] = Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._opened: dict[str, MetricsExporter] = {}
        self.dropped = 0  # calls that an exporter was too slow for

    def open(self) -> None:
        """Begin; a second call does nothing.

        Raises:
            ExportError: An exporter cannot begin.
        """
        if self._thread is not None or not self._exporters:
            return
        try:
            for name, exporter in self._exporters.items():
                exporter.open(self._process)
                self._opened[name] = exporter
        except BaseException:
            self._close_all()
            raise
        self._thread = threading.Thread(target=self._run, name="exports", daemon=True)
        self._thread.start()

    def begin(self, update: int) -> None:
        """Begin the learner's rows after `update`: later ones of an earlier start are written again."""
        self.open()
        if update > 0:
            self._submit(lambda exporter: exporter.rewind("update", update))

    def write(self, update: int, scalars: Mapping[str, float]) -> None:
        """Take one row of the learner."""
        self.scalars("update", update, scalars)

    def scalars(self, axis: str, step: int, values: Mapping[str, float]) -> None:
        """Take numbers by name; those that are not finite are left out."""
        kept = {name: float(value) for name, value in values.items() if math.isfinite(value)}
        self._submit(lambda exporter: exporter.scalars(axis, step, kept))

    def picture(self, axis: str, step: int, name: str, pixels: NDArray[np.uint8]) -> None:
        """Take a picture (h, w, 3); the caller may overwrite it afterwards."""
        copied = np.array(pixels, np.uint8)
        self._submit(lambda exporter: exporter.picture(axis, step, name, copied))

    def close(self) -> None:
        """Write what waits, and end every exporter; give up on one that takes too long."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._calls.put(None)
        thread.join(CLOSE_S)
        if thread.is_alive():
            logger.warning("metrics: an exporter did not end within %.0f s; its last values may be missing", CLOSE_S)
        if self.dropped:
            logger.warning("metrics: %d values were not exported, as an exporter was too slow", self.dropped)

    def _submit(self, call: Call) -> None:
        if self._thread is None:
            return
        try:
            self._calls.put_nowait(call)
        except Full:
            self.dropped += 1

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            for name, exporter in list(self._opened.items()):
                try:
                    call(exporter)
                except Exception as error:
                    self._drop(name, error)
        self._close_all()

    def _close_all(self) -> None:
        for name, exporter in list(self._opened.items()):
            try:
                exporter.close()
            except Exception as error:
                self._drop(name, error)
        self._opened.clear()

    def _drop(self, name: str, error: Exception) -> None:
        del self._opened[name]
        logger.error(
            "logging.exporters.%s: failed (%s: %s); it gets nothing more, the run goes on",
            name,
            type(error).__name__,
            error,
        )


@contextmanager
def exports(config: LoggingConfig, run: RunFolder, process: str, composed: Mapping[str, Any]) -> Iterator[Exports]:
    """Make the configured exporters of a process, not yet open, and close them in the end.

    Args:
        config: The group `logging`.
        run: The run.
        process: `learner`, `actor-` and the actor's id, or `evaluation`.
        composed: The composed configuration.

    Raises:
        ConfigError: An exporter's entry point or setting is wrong.
        ModuleNotFoundError: The package of an exporter is missing.
    """
    made = {
        name: find_component(values, MetricsExporter, f"logging.exporters.{name}").make()  # type: ignore[type-abstract]
        for name, values in config.exporters.items()
        if values is not None
    }
    found = Exports(made, ExportedProcess(run.name, process, run.metrics, flat_settings(composed)))
    try:
        yield found
    finally:
        found.close()


def flat_settings(composed: Mapping[str, Any]) -> dict[str, Scalar]:
    """Return the settings that describe a run as flat keys; a list is written as text, and null is left out."""
    found: dict[str, Scalar] = {}

    def add(key: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for name, item in value.items():
                add(f"{key}.{name}", item)
        elif isinstance(value, (str, int, float, bool)):
            found[key] = value
        elif value is not None:
            found[key] = str(value)

    for group in GROUPS:
        add(group, composed.get(group))
    return found

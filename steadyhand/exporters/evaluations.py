"""The results of evaluations for exporters: one row each, over the version of the policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from steadyhand.actor.evaluate import Evaluation
from steadyhand.exporters.exports import Exports, exports
from steadyhand.job import Job

__all__ = ["EvaluationExport", "evaluation_export"]

AXIS = "policy_version"
PROCESS = "evaluation"
NUMBERS = ("episodes", "success_rate", "wilson_low", "wilson_high", "throughput_per_hour", "interventions")


class EvaluationExport:
    """Passes results on to the exporters.

    Args:
        exports: Takes the metrics, open or not.
    """

    def __init__(self, exports: Exports) -> None:
        self._exports = exports

    def add(self, result: Evaluation, about: Mapping[str, Any]) -> None:
        """Write one result, as `evaluation/<who>/success_rate` and so on.

        Args:
            result: The result.
            about: Its description, as the run keeps it: `who` and `policy_version` are read.
        """
        values = {name: float(getattr(result, name)) for name in NUMBERS}
        if result.median_cycle_time_s is not None:
            values["median_cycle_time_s"] = result.median_cycle_time_s
        if result.labelled:
            values["agreement"] = result.agreed / result.labelled
        named = {f"{PROCESS}/{about['who']}/{name}": value for name, value in values.items()}
        self._exports.scalars(AXIS, int(about[AXIS]), named)


@contextmanager
def evaluation_export(job: Job) -> Iterator[EvaluationExport]:
    """Open the exporters of the run's evaluations, before the first episode, and close them in the end.

    Raises:
        ConfigError, ExportError, ModuleNotFoundError: An exporter cannot begin.
    """
    settings = job.settings
    with exports(settings.logging, job.run, PROCESS, settings.composed) as exported:
        exported.open()
        yield EvaluationExport(exported)

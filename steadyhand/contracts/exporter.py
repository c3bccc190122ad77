"""Conformance tests of an exporter of metrics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from steadyhand.exporters.exporter import ExportedProcess, MetricsExporter, Scalar

__all__ = ["ExporterContract"]


class ExporterContract:
    """Base class of an exporter's tests: derive and define how the exporter is made and what it has written."""

    def make_exporter(self, folder: Path) -> MetricsExporter:
        """Make the exporter; if it needs a folder of its own it is in `folder`."""
        raise NotImplementedError("a test of an exporter says how to make one")

    def scalars(self, folder: Path, process: ExportedProcess) -> dict[str, list[float]] | None:
        """Return the values that were written, by name; None if they cannot be read here."""
        raise NotImplementedError("a test of an exporter says how its values are read")

    @pytest.fixture
    def process(self, tmp_path: Path) -> ExportedProcess:
        """Return a process with hyper-parameters of every type."""
        settings: dict[str, Scalar] = {"algo.gamma": 0.98, "seed": 3, "task.kind": "robot", "demo.keep_failures": True}
        return ExportedProcess("pegs", "actor-arm", tmp_path, settings)

    def test_making_one_writes_nothing(self, tmp_path: Path) -> None:
        """Check that the constructor makes no file in the run."""
        self.make_exporter(tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_what_is_written_arrives(self, tmp_path: Path, process: ExportedProcess) -> None:
        """Check that scalars of two axes and a picture are taken, and that the scalars arrive."""
        exporter = self.make_exporter(tmp_path)
        exporter.open(process)
        for step in (1, 2, 3):
            exporter.scalars("env_steps", 10 * step, {"practice/success": 1.0, "practice/return": 0.5 * step})
        exporter.scalars("update", 7, {"critic_loss": 0.25})
        exporter.picture("env_steps", 30, "camera/wrist", np.zeros((8, 6, 3), np.uint8))
        exporter.close()
        found = self.scalars(tmp_path, process)
        if found is not None:
            assert found["practice/return"] == pytest.approx([0.5, 1.0, 1.5])
            assert found["critic_loss"] == pytest.approx([0.25])

    def test_a_resumed_run_goes_on(self, tmp_path: Path, process: ExportedProcess) -> None:
        """Check that a second start may write rows again that the first has written."""
        for first in (1, 2):
            exporter = self.make_exporter(tmp_path)
            exporter.open(process)
            exporter.rewind("update", first)
            exporter.scalars("update", first + 1, {"critic_loss": 1.0})
            exporter.close()

    def test_closing_one_that_was_never_opened_is_no_error(self, tmp_path: Path) -> None:
        """Check `close` after the constructor alone."""
        self.make_exporter(tmp_path).close()

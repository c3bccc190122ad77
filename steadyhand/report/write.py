"""The report of a run, written into its folder."""

from __future__ import annotations

from typing import Any

from steadyhand.report.page import render_page
from steadyhand.report.records import read_run
from steadyhand.report.summary import summarise
from steadyhand.runtime.run_folder import RunFolder, atomic_write_bytes, atomic_write_json

__all__ = ["write_report"]


def write_report(run: RunFolder, no_film: str = "") -> dict[str, Any]:
    """Write `report.json` and `report.html` from the contents of the run folder, and return the numbers.

    Args:
        run: The run; a report may be written again at any time.
        no_film: The reason for missing pictures; "" without one.
    """
    records = read_run(run)
    summary = summarise(records)
    atomic_write_json(run.path / "report.json", summary)
    atomic_write_bytes(run.path / "report.html", render_page(records, summary, no_film).encode())
    return summary

"""Write the report of a run from its folder: one HTML file to open in a browser, and its numbers as JSON."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from steadyhand.output import check_output
from steadyhand.report.write import write_report
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.settings import RUN, check_overrides, run_root
from steadyhand.terminal import say

EPILOG = (
    "A run that goes on, or that was made step by step, has a report of what is there so far; the same command\n"
    "writes it anew.\n"
    "example: steadyhand report run_name=pegs"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add no options: the verb has none of its own."""


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Write `report.html` and `report.json` into the run folder."""
    check_overrides(overrides, "report", RUN)
    config = compose(overrides)
    name = config["run_name"]
    if name is None:
        raise ConfigError("run_name: expected the name of a run, found none; `steadyhand runs` lists them")
    folder = RunFolder(run_root(config), str(name), create=False)
    page = folder.path / "report.html"
    check_output(page, "run_name")
    write_report(folder)
    say(f"report: {page}")
    return 0

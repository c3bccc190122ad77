"""List the run folders under `run_root`: task, success, date."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from runtime.config import compose
from runtime.run_folder import MANIFEST, RunFolder, RunFolderError
from steadyhand.job import task_name
from steadyhand.report.records import evaluation_path
from steadyhand.terminal import say, table_text

EPILOG = "example: steadyhand runs run_root=/data/runs"


def add_options(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Print one row per run, newest first."""
    root = Path(compose(overrides)["run_root"]).expanduser()
    folders = sorted(path.parent for path in root.glob(f"*/{MANIFEST}"))
    if not folders:
        say(f"no runs in {root}; `steadyhand demo` makes one, run_root=<folder> looks elsewhere")
        return 0
    rows = sorted((_row(root, folder.name) for folder in folders), key=lambda row: row[-1], reverse=True)
    say(table_text(("run", "task", "success", "95 % interval", "seed", "started"), rows))
    return 0


def _row(root: Path, name: str) -> tuple[str, ...]:
    try:
        run = RunFolder(root, name, create=False)
        manifest = run.read_manifest() or {}
    except RunFolderError as error:
        return name, f"({error})", "-", "-", "-", "-"
    config = manifest.get("config", {})
    path = evaluation_path(run, "policy")
    judged = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    success = f"{100 * judged['success_rate']:.1f} %" if judged else "-"
    interval = f"{100 * judged['wilson_low']:.1f} to {100 * judged['wilson_high']:.1f}" if judged else "-"
    seed, created = str(config.get("seed", "-")), str(manifest.get("created", "-"))
    return name, task_name(config), success, interval, seed, created

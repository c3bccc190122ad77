"""List the run folders under `run_root`, pack one into an archive, or delete its superfluous files.

The only copy of data is never deleted: no demonstration, and no record that the learner is not known to hold.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from steadyhand.job import task_name
from steadyhand.report.evaluations import POLICY, newest_evaluations
from steadyhand.report.practice import practice_by_actor
from steadyhand.retention import archive, check_disposable, claimed, prunable
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from steadyhand.runtime.run_folder import MANIFEST, RunFolder, RunFolderError
from steadyhand.settings import check_overrides, run_root
from steadyhand.storage import disk_bytes
from steadyhand.terminal import plain, say, table_text

EPILOG = """\
`runs` or `runs list`                one row a run, newest first
`runs archive <name>`                pack the run into <name>.tar.gz beside it; the run stays
`runs prune <name> [--yes]`          delete superseded checkpoints, and the actor's copy of what the learner holds
`runs prune <name> --all [--yes]`    delete the run; refused while it has what no archive has
example: steadyhand runs prune pegs run_root=/data/runs"""
ACTIONS = ("list", "archive", "prune")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the action and the run."""
    parser.add_argument("words", nargs="*", metavar="list | archive <name> | prune <name>", help="list by default")
    parser.add_argument("--all", action="store_true", help="prune: the run as a whole")
    parser.add_argument("--yes", action="store_true", help="prune: delete; otherwise only say what would go")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """List, archive or prune."""
    words = [word for word in options.words if "=" not in word]
    overrides = [*overrides, *(word for word in options.words if "=" in word)]
    check_overrides(overrides, "runs", ("run_root",))
    root = run_root(compose(overrides)).expanduser()
    action, names = (words or ["list"])[0], words[1:]
    if action not in ACTIONS or len(names) != (action != "list"):
        raise ConfigError(f"runs: expected list, archive <name> or prune <name>, found {' '.join(words)!r}")
    if action != "prune" and (options.all or options.yes):
        raise ConfigError(f"runs {action}: expected no {'--all' if options.all else '--yes'}, which only prune has")
    if action == "list":
        return _list(root)
    folder = RunFolder(root, names[0], create=False)
    with claimed(folder):
        if action == "archive":
            path = archive(folder)
            say(f"{path}: {path.stat().st_size / 1e6:.1f} MB, compared with the run byte by byte; the run stays")
        else:
            _prune(folder, options.all, options.yes)
    return 0


def _prune(folder: RunFolder, whole: bool, yes: bool) -> None:
    if whole:
        check_disposable(folder)
    paths = [folder.path] if whole else prunable(folder)
    freed = sum(disk_bytes(path) for path in paths)
    for path in paths:
        if yes:
            shutil.rmtree(path)
        say(plain(f"{'deleted' if yes else 'would delete'} {path}"))
    say(f"{freed / 1e6:.1f} MB{' freed' if yes else '; --yes deletes' if paths else ': nothing to delete'}")


def _list(root: Path) -> int:
    """Print one row per run, newest first."""
    folders = sorted(path.parent for path in root.glob(f"*/{MANIFEST}"))
    if not folders:
        say(f"no runs in {root}; `steadyhand demo` makes one, run_root=<folder> looks elsewhere")
        return 0
    rows = sorted((_row(root, folder.name) for folder in folders), key=lambda row: row[-1], reverse=True)
    say(table_text(("run", "task", "success", "95 % interval", "seed", "actors", "steps", "disk", "started"), rows))
    return 0


def _row(root: Path, name: str) -> tuple[str, ...]:
    try:
        run = RunFolder(root, name, create=False)
        manifest = run.read_manifest() or {}
        judged = newest_evaluations(run).get(POLICY)
        by_actor = practice_by_actor(run)
    except RunFolderError as error:
        return name, f"({error})", *["-"] * 7
    config = manifest.get("config", {})
    success = f"{100 * judged['success_rate']:.1f} %" if judged else "-"
    interval = f"{100 * judged['wilson_low']:.1f} to {100 * judged['wilson_high']:.1f}" if judged else "-"
    seed, created = str(config.get("seed", "-")), str(manifest.get("created", "-"))
    disk = f"{disk_bytes(run.path) / 1e6:.0f} MB"
    counts = [rows[-1].get("env_steps", 0) for rows in by_actor.values()]
    steps = str(sum(count for count in counts if isinstance(count, int)))
    return name, task_name(config), success, interval, seed, str(len(by_actor)), steps, disk, created

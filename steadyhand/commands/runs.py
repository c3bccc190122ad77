"""List the run folders under `run_root`, compare some, pack one into an archive, or delete its superfluous files.

The only copy of data is never deleted: no demonstration, and no record that the learner is not known to hold.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from steadyhand.earlier.note import read_earlier
from steadyhand.job import task_name
from steadyhand.output import check_output
from steadyhand.report.compare_page import render_comparison
from steadyhand.report.compared_runs import compared, parse_groups, read_groups
from steadyhand.report.evaluations import POLICY, newest_evaluations
from steadyhand.report.practice import practice_by_actor
from steadyhand.retention import archive, check_disposable, claimed, prunable
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from steadyhand.runtime.run_folder import MANIFEST, RunFolder, RunFolderError, atomic_write_bytes, atomic_write_json
from steadyhand.settings import check_overrides, run_root
from steadyhand.storage import disk_bytes
from steadyhand.terminal import plain, say, table_text

EPILOG = """\
`runs` or `runs list`                one row a run, newest first
`runs compare <name> <name> ...`     one page with curves and intervals; `old:a,b new:c,d` compares groups of seeds
`runs archive <name>`                pack the run into <name>.tar.gz beside it; the run stays
`runs prune <name> [--yes]`          delete superseded checkpoints, and the actor's copy of what the learner holds
`runs prune <name> --all [--yes]`    delete the run; refused while it has what no archive has
example: steadyhand runs prune pegs run_root=/data/runs"""
ACTIONS = ("list", "archive", "prune", "compare")
PAGE = "comparison.html"  # in run_root, unless --output says otherwise


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the action and the run."""
    actions = "list | compare <names> | archive <name> | prune <name>"
    parser.add_argument("words", nargs="*", metavar=actions, help="list by default")
    page = f"compare: the page; {PAGE} in run_root otherwise"
    parser.add_argument("--output", type=Path, metavar="FILE.html", help=page)
    parser.add_argument("--all", action="store_true", help="prune: the run as a whole")
    parser.add_argument("--yes", action="store_true", help="prune: delete; otherwise only say what would go")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """List, archive or prune."""
    words = [word for word in options.words if "=" not in word]
    overrides = [*overrides, *(word for word in options.words if "=" in word)]
    check_overrides(overrides, "runs", ("run_root",))
    root = run_root(compose(overrides)).expanduser()
    action, names = (words or ["list"])[0], words[1:]
    if action not in ACTIONS or (action != "compare" and len(names) != (action != "list")):
        raise ConfigError(
            f"runs: expected list, compare <names>, archive <name> or prune <name>, found {' '.join(words)!r}"
        )
    if action != "compare" and options.output is not None:
        raise ConfigError(f"runs {action}: expected no --output, which only compare has")
    if action != "prune" and (options.all or options.yes):
        raise ConfigError(f"runs {action}: expected no {'--all' if options.all else '--yes'}, which only prune has")
    if action == "list":
        return _list(root)
    if action == "compare":
        return _compare(root, names, options.output)
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


def _compare(root: Path, words: Sequence[str], output: Path | None) -> int:
    """Write the page about several runs, and its numbers as JSON beside it."""
    names = parse_groups(words)
    page = output or root / PAGE
    check_output(page, "--output" if output else "run_root")
    groups = read_groups(root, names)
    numbers = compared(root, groups)
    atomic_write_bytes(page, render_comparison(groups, numbers).encode())
    atomic_write_json(page.with_suffix(".json"), numbers)
    rows = [
        (row["group"], f"{row['evaluated']}/{row['runs']}", _rate(row["iqm"]), _range(row["iqm_low"], row["iqm_high"]))
        for row in numbers["groups"]
    ]
    say(table_text(("group", "evaluated", "IQM of success", "95 % interval over seeds"), rows))
    for line in numbers["remarks"]:
        say(plain(line))
    say(f"comparison: {page}")
    return 0


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _range(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f}"


def _list(root: Path) -> int:
    """Print one row per run, newest first."""
    folders = sorted(path.parent for path in root.glob(f"*/{MANIFEST}"))
    if not folders:
        say(f"no runs in {root}; `steadyhand demo` makes one, run_root=<folder> looks elsewhere")
        return 0
    rows = sorted((_row(root, folder.name) for folder in folders), key=lambda row: row[-1], reverse=True)
    say(
        table_text(
            ("run", "task", "success", "95 % interval", "seed", "actors", "steps", "disk", "from", "started"), rows
        )
    )
    return 0


def _row(root: Path, name: str) -> tuple[str, ...]:
    try:
        run = RunFolder(root, name, create=False)
        manifest = run.read_manifest() or {}
        judged = newest_evaluations(run).get(POLICY)
        by_actor = practice_by_actor(run)
    except RunFolderError as error:
        return name, f"({error})", *["-"] * 8
    config = manifest.get("config", {})
    success = f"{100 * judged['success_rate']:.1f} %" if judged else "-"
    interval = f"{100 * judged['wilson_low']:.1f} to {100 * judged['wilson_high']:.1f}" if judged else "-"
    seed, created = str(config.get("seed", "-")), str(manifest.get("created", "-"))
    disk = f"{disk_bytes(run.path) / 1e6:.0f} MB"
    counts = [rows[-1].get("env_steps", 0) for rows in by_actor.values()]
    steps = str(sum(count for count in counts if isinstance(count, int)))
    origin = str(read_earlier(run.path).get("run", "-"))
    return name, task_name(config), success, interval, seed, str(len(by_actor)), steps, disk, origin, created

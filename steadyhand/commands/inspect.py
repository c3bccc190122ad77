"""Show what a demo set, a log or a whole run folder holds: schema, episodes, successes, steps, human share, size."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from steadyhand.demo_compat import carry_over
from steadyhand.log_facts import LogFacts, log_folders, read_log
from steadyhand.runtime.run_folder import atomic_write_bytes
from steadyhand.terminal import plain, say, table_text
from steadyhand.transport.demo_set import DemoSetError, is_demo_set, read_manifest, refuse_foreign
from steadyhand.transport.schema import Schema

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = (
    "--plots writes one page: lengths, returns, actions, cameras, TQ and SACo, and what would harm training.\n"
    "Another package's data set is named, with the command that imports it.\n"
    "example: steadyhand inspect runs/pegs/demos --plots pegs.html"
)
DEEPEST = 3  # levels of folders that are searched: <run>/log/<session>


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the argument for the folder."""
    parser.add_argument("folder", type=Path, help="a demo set, a log, or a folder with some of them below it")
    parser.add_argument("--episodes", action="store_true", help="list every episode with its number")
    parser.add_argument(
        "--against", type=Path, metavar="FOLDER", help="say what would carry over to the set-up that recorded this log"
    )
    parser.add_argument("--plots", type=Path, metavar="FILE.html", help="write a page about one set")
    parser.set_defaults(warnings=False)
    parser.add_argument("--reference", type=Path, metavar="FOLDER", help="the set that TQ and SACo are relative to")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Print one block per log."""
    folders = log_folders(options.folder, DEEPEST)
    if not folders:
        refuse_foreign(options.folder)
    if overrides or not folders:
        found = f"also {overrides[0]}" if overrides else "no log in or below it"
        raise DemoSetError(f"{options.folder}: expected one folder with a demo set or a log, found {found}")
    if options.plots and len(folders) > 1:
        raise DemoSetError(f"{options.folder}: expected one set for --plots, found {len(folders)}; name one of them")
    for folder in folders:
        facts = read_log(folder)
        _show(folder, facts)
        if options.against:
            say(
                table_text(("field", "in the other set-up"), carry_over(facts.schema, read_log(options.against).schema))
            )
            say()
        if options.episodes:
            say(_episode_table(facts))
            say()
        if options.plots or options.warnings:
            _check(folder, options)
    return 0


def _check(folder: Path, options: argparse.Namespace) -> None:
    """Print what in the set would harm training, and write the page about it."""
    from steadyhand.data.quality import read_quality
    from steadyhand.data.quality_page import render_quality
    from steadyhand.data.set_warnings import warning_lines

    quality = read_quality(folder, options.reference)
    lines = warning_lines(quality)
    for line in lines or ["nothing found that would harm training"]:
        say(f"warning: {line}" if lines else line)
    if options.plots:
        atomic_write_bytes(options.plots, render_quality(quality, lines).encode())
        say(f"page: {options.plots}")


def _show(folder: Path, facts: LogFacts) -> None:
    phases = Counter(episode.phase.name.lower() for episode in facts.episodes)
    lengths = sorted(episode.steps for episode in facts.episodes) or [0]
    period_s = facts.schema.control_period_s
    shown = [
        ("kind", "demo set" if is_demo_set(folder) else "log"),
        ("episodes", f"{len(facts.episodes)} ({', '.join(f'{n} {name}' for name, n in phases.items()) or 'none'})"),
        ("successes", str(facts.successes)),
        ("steps", f"{facts.steps} ({facts.steps * period_s / 60:.1f} min at {1 / period_s:g} Hz)"),
        ("episode steps", f"{lengths[0]} to {lengths[-1]}, median {lengths[len(lengths) // 2]}"),
        ("human share", f"{100 * facts.intervention_share:.1f} % of the steps"),
        ("size", f"{facts.records} records, {facts.disk_bytes / 1e6:.1f} MB on disk"),
        ("labels", f"{facts.labels} (see `steadyhand relabel`)" if facts.labels else "none"),
        ("actor", f"{facts.actor_id}, session {facts.session_id}"),
    ]
    if is_demo_set(folder):
        manifest = read_manifest(folder)
        shown += [
            ("recorded", f"{manifest.date} by {manifest.expert}"),
            ("attempts", f"{manifest.episodes}, of which {len(facts.episodes)} were kept"),
        ]
    say(plain(f"{folder}"))
    for name, text in shown:
        say(f"  {name:<14}{plain(text)}")
    say()
    say(_schema_table(facts.schema))
    say()


def _episode_table(facts: LogFacts) -> str:
    rows = [
        (
            str(one.episode_id),
            one.phase.name.lower(),
            str(one.steps),
            str(one.human_steps),
            "yes" if one.success else "no",
        )
        for one in facts.episodes
    ]
    return table_text(("episode", "phase", "steps", "human", "success"), rows)


def _schema_table(schema: Schema) -> str:
    rows = [
        (field.name, "x".join(map(str, field.shape)), field.dtype, field.unit, field.frame or "-")
        for field in (*schema.observation, schema.action)
    ]
    return table_text(("field", "shape", "dtype", "unit", "frame"), rows)

"""Join demo sets of one task and one schema into a new one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from steadyhand.actor_id import task_identity
from steadyhand.data.rewrite import Part, episode_numbers, rewrite
from steadyhand.data.staging import staged
from steadyhand.demo_settings import CONVERTED, task_differences
from steadyhand.settings import check_overrides
from steadyhand.terminal import say
from steadyhand.transport.demo_set import DemoManifest, DemoSetError, read_manifest
from steadyhand.transport.run_identity import read_identity

__all__ = ["EPILOG", "add_options", "fits", "run"]

EPILOG = (
    "Sets of another schema, task, robot, reward or action scale are refused; so is a setting that changes the\n"
    "meaning of records. Episodes are numbered anew, in the order of the sets.\n"
    "example: steadyhand data merge demos/monday demos/tuesday --out demos/week"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for the sets and the result."""
    parser.add_argument("folders", type=Path, nargs="+", metavar="DEMOS", help="demo sets, at least two")
    parser.add_argument("--out", type=Path, required=True, help="folder of the new set")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Join the sets, and print what the new one holds."""
    check_overrides(overrides, "data merge", ())
    folders: list[Path] = options.folders
    if len(folders) < 2 or len({folder.resolve() for folder in folders}) < len(folders):
        raise DemoSetError(f"data merge: expected at least two different demo sets, found {len(folders)} folders")
    first = read_manifest(folders[0])
    for folder in folders[1:]:
        if line := fits(folders[0], first, folder, read_manifest(folder)):
            raise DemoSetError(f"{folder}: {line}")
    parts = [Part(folder, tuple(episode_numbers(folder)), {}) for folder in folders]
    with staged(options.out) as place:
        manifest = rewrite(parts, place)
    say(f"{manifest.episodes} episodes, {manifest.successes} successes, {manifest.steps} steps: {options.out}")
    return 0


def fits(folder: Path, first: DemoManifest, other_folder: Path, other: DemoManifest) -> str:
    """Return one line saying why two demo sets cannot be one; "" when they can."""
    if lines := first.schema.diff(other.schema):
        return f"the schema differs from {folder}: {lines[0]}"
    wanted, found = task_identity(first.task), task_identity(other.task)
    if wanted != found:
        return f"expected demonstrations of {wanted} as in {folder}, found those of {found}"
    differences = task_differences(other.task, first.task, other.episode_settings)
    scales = _scales(first), _scales(other)
    if scales[0] != scales[1]:
        return f"expected the action scales {scales[0]} as in {folder}, found {scales[1]}; `learn` takes both sets"
    if matters := [one for one in differences if one.matters]:
        return f"expected {matters[0].line('now')} as in {folder}, found {matters[0].line('then')}"
    if first.reward != other.reward:
        return f"expected the reward of {folder}, found another; score one of them: `data relabel --reward`"
    robot = read_identity(folder).robot_difference(read_identity(other_folder))
    return f"recorded on another robot than {folder} ({robot})" if robot else ""


def _scales(manifest: DemoManifest) -> dict[str, object]:
    names = [key.partition(".")[2] for key in sorted(CONVERTED)]
    drive = manifest.task.get("drive") or {}
    return {name: drive[name] for name in names if name in drive}

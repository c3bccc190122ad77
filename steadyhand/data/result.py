"""The place of a changed demo set: a new folder, or that of the old one, which is then kept beside it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from steadyhand.data.rewrite import Part, rewrite
from steadyhand.data.staging import replaced, staged
from steadyhand.terminal import say
from steadyhand.transport.demo_set import DemoSetError, read_manifest
from steadyhand.transport.log_folder import is_finished

__all__ = ["add_place", "write_result"]


def add_place(parser: argparse.ArgumentParser) -> None:
    """Add the options for the place of the result; one of them is required."""
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--out", type=Path, help="folder of the new set; the old one stays as it is")
    place.add_argument(
        "--in-place", action="store_true", help="take the old set's place, and keep the old one as NAME.before-TIME"
    )


def write_result(
    options: argparse.Namespace, parts: Sequence[Part], finish: Callable[[Path], None] = lambda folder: None
) -> None:
    """Write the new set to its place, and print what it holds.

    Args:
        options: Those of `add_place`, and `folder`, the old set.
        parts: The episodes of the new set.
        finish: Completes the new set in its folder, before it appears under its name.

    Raises:
        DemoSetError: Nothing is left, or the old set is still being recorded.
    """
    folder: Path = options.folder
    if not any(part.episodes for part in parts):
        raise DemoSetError(f"{folder}: expected at least one episode to keep, found none; nothing was changed")
    if options.in_place and not is_finished(folder):
        raise DemoSetError(f"{folder}: expected a complete set, found one that is open for recording; give --out")
    with replaced(folder) if options.in_place else _staged(options.out) as (place, old):
        rewrite(parts, place)
        finish(place)
        manifest = read_manifest(place)
    if options.in_place:
        say(f"the set before: {old}")
    out = folder if options.in_place else options.out
    say(f"{manifest.episodes} episodes, {manifest.successes} successes, {manifest.steps} steps: {out}")


@contextmanager
def _staged(out: Path) -> Iterator[tuple[Path, Path]]:
    """Workpieces a new folder; the second value is that folder's name, as there is no old one to keep."""
    with staged(out) as place:
        yield place, out

"""Leave episodes out of a demo set. The old set stays, under its own name or beside the new one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from steadyhand.data.choice import chosen_numbers
from steadyhand.data.result import add_place, write_result
from steadyhand.data.rewrite import Part, episode_numbers
from steadyhand.settings import check_overrides
from steadyhand.transport.demo_set import read_manifest

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = (
    "The episodes that stay are numbered anew from 0.\n"
    "example: steadyhand data delete runs/pegs/demos 3,7-9 --out demos/pegs-clean"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for the set, the episodes and the result."""
    parser.add_argument("folder", type=Path, help="a demo set")
    parser.add_argument("episodes", metavar="N,N-N", help="numbers, as `data show --episodes` shows them")
    add_place(parser)


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Write the set without these episodes."""
    check_overrides(overrides, "data delete", ())
    read_manifest(options.folder)
    known = episode_numbers(options.folder)
    gone = set(chosen_numbers(options.episodes, known, "data delete"))
    write_result(options, [Part(options.folder, tuple(one for one in known if one not in gone), {})])
    return 0

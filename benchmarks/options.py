"""The options of benchmarks that take overrides, and of those with a row for each arm and seed."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from steadyhand.runtime.config import compose

__all__ = ["add_row_options", "options_and_overrides", "seeds_of"]


def add_row_options(parser: argparse.ArgumentParser, arms: Iterable[str], runs: Path) -> None:
    """Add the options of a benchmark with a row for each arm and seed.

    Args:
        parser: Its parser.
        arms: The arms, unless others are chosen.
        runs: Folder of the runs, unless another one is given.
    """
    parser.add_argument("--arms", default=",".join(arms), help="comma-separated (%(default)s)")
    parser.add_argument("--seeds", type=int, default=3, help="how many, counted from seed= (%(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="rows at a time; each takes about one core (%(default)s)")
    parser.add_argument("--runs", type=Path, default=runs, help="folder of the runs (%(default)s)")
    parser.add_argument("--row", help=argparse.SUPPRESS)  # the row of a process of its own


def options_and_overrides(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None = None
) -> tuple[argparse.Namespace, list[str]]:
    """Return the options and the overrides of a command line; an unknown option ends the program with one line."""
    options, overrides = parser.parse_known_args(arguments)
    if unknown := [word for word in overrides if word.startswith("-")]:
        parser.error(f"unknown option {unknown[0]}")
    return options, overrides


def seeds_of(overrides: Sequence[str], count: int) -> range:
    """Return `count` seeds from that of the overrides on."""
    first = int(compose(overrides)["seed"])
    return range(first, first + count)
